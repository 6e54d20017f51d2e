// Kubectl-1.32 is kubectl built from its library. It is the oldest version that the tests of
// `apisvc sandbox` use.
package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	os.Exit(cli.Run(cmd.NewDefaultKubectlCommand()))
}
