// Front is the standalone kube-aggregator with OpenAPI v3 models, which the released command does
// not configure.
//
// A generic API server requires these models to install an API, because server-side apply uses them
// (k8s.io/apiserver v0.37.2, pkg/server/genericapiserver.go, getOpenAPIModels). The released
// command provides only v2 models (k8s.io/kube-aggregator, pkg/cmd/server/start.go) and exits at
// startup. Everything else is the same as in the released command.
package main

import (
	"os"

	"k8s.io/apiserver/pkg/admission"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/component-base/cli"
	_ "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
	"k8s.io/kube-aggregator/pkg/apiserver/scheme"
	"k8s.io/kube-aggregator/pkg/cmd/server"
	"k8s.io/kube-aggregator/pkg/generated/openapi"
)

func main() {
	options := server.NewDefaultOptions(os.Stdout, os.Stderr)
	// The only hook that receives the configuration before the server is created.
	options.RecommendedOptions.ExtraAdmissionInitializers = withOpenAPIV3
	os.Exit(cli.Run(server.NewCommandStartAggregator(genericapiserver.SetupSignalContext(), options)))
}

func withOpenAPIV3(config *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
	namer := openapinamer.NewDefinitionNamer(scheme.Scheme)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	return nil, nil
}
