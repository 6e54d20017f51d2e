// Flux-apply applies a folder of manifests to a cluster again and again, as Flux does, and prints
// one line of JSON for each time: what it did, and so which objects had drifted.
//
// The apply is that of Flux: this program calls its package ssa with the options of
// kustomize-controller v1.9.6 (internal/controller/kustomization_controller.go, apply). The
// controller itself also fetches sources and builds kustomizations.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"github.com/fluxcd/pkg/ssa/normalize"
	ssautil "github.com/fluxcd/pkg/ssa/utils"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

type options struct {
	kubeconfig    string
	manifests     string
	kustomization string
	interval      time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "path of a kubeconfig")
	flag.StringVar(&o.manifests, "manifests", "", "folder of manifests, which is read again each time")
	flag.StringVar(&o.kustomization, "kustomization", "", "name of the Kustomization, which marks its objects")
	flag.DurationVar(&o.interval, "interval", time.Second, "time between two runs")
	flag.Parse()
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if err := run(stop, o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(stop context.Context, o options) error {
	if o.manifests == "" || o.kustomization == "" {
		return errors.New("--manifests and --kustomization are required")
	}
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100
	live, err := client.New(config, client.Options{})
	if err != nil {
		return err
	}
	poller := polling.NewStatusPoller(live, live.RESTMapper(), polling.Options{})
	manager := ssa.NewResourceManager(live, poller, ssa.Owner{Field: controller, Group: group})
	output := json.NewEncoder(os.Stdout)
	for {
		// A run that has started ends, even if this process is to stop.
		if err := output.Encode(reconcile(context.WithoutCancel(stop), manager, o)); err != nil {
			return err
		}
		select {
		case <-stop.Done():
			return nil
		case <-time.After(o.interval):
		}
	}
}

// report is what one run found and did.
type report struct {
	Started time.Time `json:"started"`
	Error   string    `json:"error,omitempty"`
	Drift   []drift   `json:"drift"`
	Results []result  `json:"results,omitempty"`
}

// drift is an object that Flux corrected, and of which it sends an event.
type drift struct {
	Resource string `json:"resource"`
}

type result struct {
	Resource string `json:"resource"`
	Message  string `json:"message"`
}

func reconcile(running context.Context, manager *ssa.ResourceManager, o options) report {
	done := report{Started: time.Now().UTC(), Drift: []drift{}}
	if err := apply(running, manager, o, &done); err != nil {
		done.Error = err.Error()
	}
	return done
}

func apply(running context.Context, manager *ssa.ResourceManager, o options, done *report) error {
	objects, err := readManifests(o.manifests)
	if err != nil {
		return err
	}
	manager.SetOwnerLabels(objects, o.kustomization, "flux-system")
	changes, err := manager.ApplyAllStaged(running, objects, applyOptions())
	if changes != nil {
		for _, change := range changes.Entries {
			done.Results = append(done.Results, result{Resource: change.Subject, Message: change.Action.String()})
			if change.Action != ssa.UnchangedAction && change.Action != ssa.SkippedAction {
				done.Drift = append(done.Drift, drift{Resource: change.Subject})
			}
		}
	}
	return err
}

func readManifests(folder string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		objects, err := ssautil.ReadObjects(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, objects...)
	}
	return all, normalize.UnstructuredList(all)
}
