package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// trackingAnnotation marks the objects of an application, which Argo CD prunes when the manifests
// lack them.
const trackingAnnotation = "argocd.argoproj.io/tracking-id"

// readTargets reads the manifests and adds the annotation that Argo CD adds.
func readTargets(o options) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(o.manifests, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var targets []*unstructured.Unstructured
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		objects, err := kube.SplitYAML(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		targets = append(targets, objects...)
	}
	for _, target := range targets {
		annotations := target.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[trackingAnnotation] = trackingID(o, target)
		target.SetAnnotations(annotations)
	}
	return targets, nil
}

// trackingID is the value that Argo CD writes (util/argo/resource_tracking.go,
// BuildAppInstanceValue).
func trackingID(o options, target *unstructured.Unstructured) string {
	kind := target.GroupVersionKind()
	namespace := target.GetNamespace()
	if namespace == "" {
		namespace = o.namespace
	}
	return fmt.Sprintf("%s:%s/%s:%s/%s", o.application, kind.Group, kind.Kind, namespace, target.GetName())
}

// onlyKinds excludes all other kinds from the cache.
type onlyKinds map[schema.GroupKind]bool

func (kinds onlyKinds) IsExcludedResource(group, kind, _ string) bool {
	return !kinds[schema.GroupKind{Group: group, Kind: kind}]
}

type noTracer struct{}

func (noTracer) StartSpan(string) tracing.Span { return noTracer{} }
func (noTracer) SetBaggageItem(string, any)    {}
func (noTracer) Finish()                       {}
