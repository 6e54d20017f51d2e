// Argocd-engine syncs a folder of manifests to a cluster again and again, as Argo CD does, and
// prints one line of JSON for each sync: the drift before it, and what it did.
//
// Diff and sync are those of Argo CD: this program calls its engine as the application controller
// of Argo CD v3.2.12 does (controller/state.go, CompareAppState; controller/sync.go, SyncAppState).
// Unlike Argo CD, it also syncs where it found no drift.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

type options struct {
	kubeconfig      string
	manifests       string
	namespace       string
	application     string
	serverSideApply bool
	serverSideDiff  bool
	interval        time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path of a kubeconfig")
	flag.StringVar(&o.manifests, "manifests", "", "folder of manifests, which is read again for each sync")
	flag.StringVar(&o.namespace, "namespace", "default", "namespace of objects without one")
	flag.StringVar(&o.application, "application", "", "name of the Application, which marks its objects")
	flag.BoolVar(&o.serverSideApply, "server-side-apply", false, "the sync option ServerSideApply=true")
	flag.BoolVar(&o.serverSideDiff, "server-side-diff", false, "the compare option ServerSideDiff=true")
	flag.DurationVar(&o.interval, "interval", time.Second, "time between two syncs")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.manifests == "" || o.application == "" {
		return errors.New("--manifests and --application are required")
	}
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	live, err := newCache(config, o)
	if err != nil {
		return err
	}
	defer live.Invalidate()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	output := json.NewEncoder(os.Stdout)
	for {
		application := application{options: o, config: config, live: live}
		if err := output.Encode(application.reconcile()); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-time.After(o.interval):
		}
	}
}

// newCache starts watches of the kinds of the manifests and of Secrets, so that a sync would delete
// a Secret that the application seems to own. Argo CD watches every kind; here, the API of another
// test may be broken.
func newCache(config *rest.Config, o options) (cache.ClusterCache, error) {
	targets, err := readTargets(o)
	if err != nil {
		return nil, err
	}
	watched := onlyKinds{{Kind: "Secret"}: true}
	for _, target := range targets {
		watched[target.GroupVersionKind().GroupKind()] = true
	}
	live := cache.NewClusterCache(config,
		cache.SetLogr(logr.Discard()),
		cache.SetSettings(cache.Settings{ResourcesFilter: watched}),
		cache.SetPopulateResourceInfoHandler(func(object *unstructured.Unstructured, _ bool) (any, bool) {
			id := object.GetAnnotations()[trackingAnnotation]
			return id, id != ""
		}),
	)
	return live, live.EnsureSynced()
}

// kubectl is the implementation of apply that Argo CD uses.
func kubectl() kube.Kubectl {
	return &kube.KubectlCmd{Log: logr.Discard(), Tracer: noTracer{}}
}
