// Cert-manager runs the parts of cert-manager 1.21.2 that issue a serving certificate and write a
// caBundle. The commands of cert-manager itself are modules that are not published, but their
// packages are.
//
//	cert-manager --kubeconfig FILE cainjector
//	cert-manager --kubeconfig FILE controller
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/cert-manager/cert-manager/pkg/logs"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

var commands = map[string]func(context.Context, string) error{
	"cainjector": runCAInjector,
	"controller": runControllers,
}

func main() {
	// controller-runtime declares --kubeconfig for every program that imports it.
	flag.Parse()
	ctrl.SetLogger(klog.Background())
	stop := ctrl.SetupSignalHandler()
	if err := run(logs.NewContext(stop, klog.Background())); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(stop context.Context) error {
	command, isKnown := commands[flag.Arg(0)]
	if !isKnown {
		return errors.New("usage: cert-manager --kubeconfig FILE cainjector|controller")
	}
	return command(stop, flag.Lookup("kubeconfig").Value.String())
}
