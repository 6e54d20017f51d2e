// kubectl 1.32, which Kubernetes publishes as a library too: the oldest one that `apisvc sandbox` is tried with.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
}
