// Dns-webhook is a DNS01 solver for cert-manager. It is built as the webhooks of DNS providers are:
// the package of cert-manager is the server, and reads the name of its API group from GROUP_NAME.
// Instead of a DNS zone it has a list of records in memory.

package main

import (
	"fmt"
	"os"
	"sync"

	"github.com/cert-manager/cert-manager/pkg/acme/webhook/apis/acme/v1alpha1"
	"github.com/cert-manager/cert-manager/pkg/acme/webhook/cmd"
	"k8s.io/client-go/rest"
)

func main() {
	group := os.Getenv("GROUP_NAME")
	if group == "" {
		fmt.Fprintln(os.Stderr, "GROUP_NAME is not set")
		os.Exit(1)
	}
	cmd.RunWebhookServer(group, &memory{keys: map[string]string{}})
}

// memory is a zone of TXT records.
type memory struct {
	lock sync.Mutex
	keys map[string]string
}

// Name is the solverName of an Issuer, and the resource of the API.
func (m *memory) Name() string { return "memory" }

func (m *memory) Initialize(*rest.Config, <-chan struct{}) error { return nil }

func (m *memory) Present(challenge *v1alpha1.ChallengeRequest) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.keys[challenge.ResolvedFQDN] = challenge.Key
	return nil
}

// CleanUp refuses a key other than that of Present, which shows that both reach one server.
func (m *memory) CleanUp(challenge *v1alpha1.ChallengeRequest) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.keys[challenge.ResolvedFQDN] != challenge.Key {
		return fmt.Errorf("no record %s with this key", challenge.ResolvedFQDN)
	}
	delete(m.keys, challenge.ResolvedFQDN)
	return nil
}
