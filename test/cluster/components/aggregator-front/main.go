// Front is the standalone kube-aggregator with the one setting that its own command lacks.
//
// A generic API server installs no API without OpenAPI v3 models, which server-side apply needs (k8s.io/apiserver v0.37.2,
// pkg/server/genericapiserver.go, getOpenAPIModels). k8s.io/kube-aggregator, pkg/cmd/server/start.go, provides those of v2
// alone, so the released command ends at its start. All else here is that command.
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
	// The only hook that is given the configuration before a server is made of it.
	options.RecommendedOptions.ExtraAdmissionInitializers = withOpenAPIV3
	os.Exit(cli.Run(server.NewCommandStartAggregator(genericapiserver.SetupSignalContext(), options)))
}

func withOpenAPIV3(config *genericapiserver.RecommendedConfig) ([]admission.PluginInitializer, error) {
	namer := openapinamer.NewDefinitionNamer(scheme.Scheme)
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(openapi.GetOpenAPIDefinitions, namer)
	return nil, nil
}
