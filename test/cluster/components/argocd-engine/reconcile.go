package main

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
)

// manager is the field manager of Argo CD (common/common.go, ArgoCDSSAManager).
const manager = "argocd-controller"

// syncTimeout is far longer than any sync of the tests.
const syncTimeout = time.Minute

type application struct {
	options options
	config  *rest.Config
	live    cache.ClusterCache
}

// report is what one sync found and did.
type report struct {
	Started time.Time `json:"started"`
	Error   string    `json:"error,omitempty"`
	Drift   []drift   `json:"drift"`
	Phase   string    `json:"phase,omitempty"`
	Message string    `json:"message,omitempty"`
	Results []result  `json:"results,omitempty"`
}

// drift is an object that Argo CD shows as OutOfSync.
type drift struct {
	Resource  string          `json:"resource"`
	Live      json.RawMessage `json:"live,omitempty"`
	Predicted json.RawMessage `json:"predicted,omitempty"`
}

type result struct {
	Resource string `json:"resource"`
	Status   string `json:"status"`
	Message  string `json:"message"`
}

func (a application) reconcile() report {
	done := report{Started: time.Now().UTC(), Drift: []drift{}}
	if err := a.compareAndSync(&done); err != nil {
		done.Error = err.Error()
	}
	return done
}

func (a application) compareAndSync(done *report) error {
	targets, err := readTargets(a.options)
	if err != nil {
		return err
	}
	live, err := a.live.GetManagedLiveObjs(targets, a.isOurs)
	if err != nil {
		return err
	}
	reconciled := sync.Reconcile(targets, live, a.options.namespace, a.live)
	if done.Drift, err = a.compare(reconciled); err != nil {
		return err
	}
	return a.sync(reconciled, done)
}

func (a application) isOurs(resource *cache.Resource) bool {
	id, _ := resource.Info.(string)
	return strings.HasPrefix(id, a.options.application+":")
}

func (a application) compare(reconciled sync.ReconciliationResult) ([]drift, error) {
	choices := []diff.Option{
		diff.WithLogr(logr.Discard()),
		diff.WithGVKParser(a.live.GetGVKParser()),
		diff.WithManager(manager),
		diff.WithServerSideDiff(a.options.serverSideDiff),
		diff.WithStructuredMergeDiff(a.options.serverSideApply),
	}
	if a.options.serverSideDiff {
		runner, cleanup, err := kube.ManageServerSideDiffDryRuns(a.config, a.live.GetOpenAPISchema(), noTracer{}, logr.Discard(), nil)
		if err != nil {
			return nil, err
		}
		defer cleanup()
		choices = append(choices, diff.WithServerSideDryRunner(diff.NewK8sServerSideDryRunner(runner)))
	}
	compared, err := diff.DiffArray(reconciled.Target, reconciled.Live, choices...)
	if err != nil {
		return nil, err
	}
	found := []drift{}
	for index, each := range compared.Diffs {
		if each.Modified {
			name := nameOf(reconciled.Target[index], reconciled.Live[index])
			found = append(found, drift{Resource: name, Live: each.NormalizedLive, Predicted: each.PredictedLive})
		}
	}
	return found, nil
}

func (a application) sync(reconciled sync.ReconciliationResult, done *report) error {
	running, cleanup, err := sync.NewSyncContext("main", reconciled, a.config, a.config, kubectl(), a.options.namespace, a.live.GetOpenAPISchema(),
		sync.WithLogr(logr.Discard()),
		sync.WithOperationSettings(false, true, false, false),
		sync.WithManifestValidation(true),
		sync.WithServerSideApply(a.options.serverSideApply),
		sync.WithServerSideApplyManager(manager),
		sync.WithClientSideApplyMigration(true, common.DefaultClientSideApplyMigrationManager),
	)
	if err != nil {
		return err
	}
	defer cleanup()
	for deadline := time.Now().Add(syncTimeout); ; time.Sleep(200 * time.Millisecond) {
		running.Sync()
		phase, message, results := running.GetState()
		if phase.Completed() {
			done.Phase, done.Message, done.Results = string(phase), message, resultsOf(results)
			return nil
		}
		if time.Now().After(deadline) {
			running.Terminate()
			return errors.New("the sync did not end: " + message)
		}
	}
}

func resultsOf(results []common.ResourceSyncResult) []result {
	shown := []result{}
	for _, each := range results {
		shown = append(shown, result{Resource: each.ResourceKey.Kind + "/" + each.ResourceKey.Name, Status: string(each.Status), Message: each.Message})
	}
	return shown
}

// nameOf returns the name of an object that may be missing on one side.
func nameOf(objects ...*unstructured.Unstructured) string {
	for _, object := range objects {
		if object != nil {
			return object.GetKind() + "/" + object.GetName()
		}
	}
	return ""
}
