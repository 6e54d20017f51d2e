// Any-api is an extension API server for any group. It is the generic API server of Kubernetes with
// its flags for serving, authentication and authorization. It serves discovery documents, and
// optionally one object, so it needs no etcd and starts quickly.

// Handshakes without ML-KEM take a third less time, which matters where every request makes one.
//go:debug tlsmlkem=0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/authentication/authenticatorfactory"
	"k8s.io/apiserver/pkg/endpoints"
	"k8s.io/apiserver/pkg/endpoints/discovery"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
	"k8s.io/apiserver/pkg/server/healthz"
	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/util/compatibility"
	"k8s.io/component-base/cli"
)

type server struct {
	groupVersion    string
	certificateOnce bool
	things          bool
	closing         bool
	abrupt          bool
	awaitFrontProxy bool
	serving         *options.SecureServingOptions
	authentication  *options.DelegatingAuthenticationOptions
	authorization   *options.DelegatingAuthorizationOptions
}

func main() {
	s := server{
		serving:        options.NewSecureServingOptions(),
		authentication: options.NewDelegatingAuthenticationOptions(),
		authorization:  options.NewDelegatingAuthorizationOptions(),
	}
	command := &cobra.Command{Use: "any-api", SilenceUsage: true, RunE: func(command *cobra.Command, _ []string) error {
		return s.run(s.untilSignal())
	}}
	flags := command.Flags()
	flags.StringVar(&s.groupVersion, "group-version", "", "group and version to serve")
	flags.BoolVar(&s.certificateOnce, "certificate-once", false, "do not reload the serving certificate, as some servers do not")
	flags.BoolVar(&s.things, "things", false, "serve GET, LIST and WATCH of one object, things/one")
	flags.BoolVar(&s.closing, "close-connections", false, "close every connection after one response, and serve HTTP/1.1 only")
	flags.BoolVar(&s.abrupt, "abrupt", false, "exit at once on SIGTERM, as hand-written servers do")
	flags.BoolVar(&s.awaitFrontProxy, "await-front-proxy", false, "be ready only when the CA of kube-apiserver's front proxy is known")
	s.serving.AddFlags(flags)
	s.authentication.AddFlags(flags)
	s.authorization.AddFlags(flags)
	os.Exit(cli.Run(command))
}

// untilSignal returns a context that ends with SIGTERM. Without a handler, SIGTERM ends a Go
// program at once.
func (s *server) untilSignal() context.Context {
	if s.abrupt {
		return context.Background()
	}
	return genericapiserver.SetupSignalContext()
}

func (s *server) run(ctx context.Context) error {
	scheme, v1 := runtime.NewScheme(), schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, v1)
	scheme.AddUnversionedTypes(v1, &metav1.Status{}, &metav1.APIGroup{}, &metav1.APIGroupList{}, &metav1.APIResourceList{})
	config := genericapiserver.NewConfig(serializer.NewCodecFactory(scheme))
	config.EffectiveVersion = compatibility.DefaultBuildEffectiveVersion()
	if err := s.serving.MaybeDefaultWithSelfSignedCerts("localhost", nil, nil); err != nil {
		return err
	}
	if err := s.serving.WithLoopback().ApplyTo(&config.SecureServing, &config.LoopbackClientConfig); err != nil {
		return err
	}
	if s.closing {
		config.SecureServing.DisableHTTP2 = true
		config.BuildHandlerChainFunc = func(handler http.Handler, c *genericapiserver.Config) http.Handler {
			return closeConnections(genericapiserver.DefaultBuildHandlerChain(handler, c))
		}
	}
	if s.certificateOnce {
		certificate, key := config.SecureServing.Cert.CurrentCertKeyContent()
		static, err := dynamiccertificates.NewStaticCertKeyContent("once", certificate, key)
		if err != nil {
			return err
		}
		config.SecureServing.Cert = static
	}
	if err := s.authentication.ApplyTo(&config.Authentication, config.SecureServing, nil); err != nil {
		return err
	}
	if err := s.authorization.ApplyTo(&config.Authorization); err != nil {
		return err
	}
	if s.awaitFrontProxy {
		config.AddReadyzChecks(healthz.NamedCheck("front-proxy", func(*http.Request) error {
			return knowsFrontProxy(config.Authentication.RequestHeaderConfig)
		}))
	}
	generic, err := config.Complete(nil).New("any-api", genericapiserver.NewEmptyDelegate())
	if err != nil {
		return err
	}
	if err := s.serveDiscovery(generic, ctx); err != nil {
		return err
	}
	return generic.PrepareRun().RunWithContext(ctx)
}

// knowsFrontProxy returns an error until an informer has read the CA from a ConfigMap. Before that,
// every request of kube-apiserver is anonymous. /readyz of the generic server does not check this
// (k8s.io/apiserver/pkg/server/dynamiccertificates/configmap_cafile_content.go, RunOnce).
func knowsFrontProxy(found *authenticatorfactory.RequestHeaderConfig) error {
	if found == nil || len(found.CAContentProvider.CurrentCABundleContent()) == 0 {
		return errors.New("the CA of the front proxy is not known yet")
	}
	return nil
}

func (s *server) serveDiscovery(generic *genericapiserver.GenericAPIServer, shutdown context.Context) error {
	groupVersion := s.groupVersion
	gv, err := schema.ParseGroupVersion(groupVersion)
	if err != nil {
		return err
	}
	things := metav1.APIResource{Name: "things", SingularName: "thing", Kind: "Thing", Namespaced: true, Verbs: metav1.Verbs{"get", "list"}}
	if s.things {
		things.Verbs = append(things.Verbs, "watch")
		serveThings(generic, gv, shutdown)
	}
	list := func() []metav1.APIResource { return []metav1.APIResource{things} }
	resources, err := endpoints.ConvertGroupVersionIntoToDiscovery(list())
	if err != nil {
		return err
	}
	version := metav1.GroupVersionForDiscovery{GroupVersion: groupVersion, Version: gv.Version}
	group := metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version}
	paths := generic.Handler.NonGoRestfulMux
	paths.Handle("/apis/"+groupVersion, discovery.NewAPIVersionHandler(generic.Serializer, gv, discovery.APIResourceListerFunc(list)))
	paths.Handle("/apis/"+gv.Group, discovery.NewAPIGroupHandler(generic.Serializer, group))
	generic.DiscoveryGroupManager.AddGroup(group)
	generic.AggregatedDiscoveryGroupManager.AddGroupVersion(gv.Group, apidiscovery.APIVersionDiscovery{Version: gv.Version, Resources: resources})
	// The OpenAPI document of the group has no paths.
	serve(paths, "/openapi/v3", fmt.Sprintf(`{"paths":{"apis/%[1]s":{"serverRelativeURL":"/openapi/v3/apis/%[1]s?hash=1"}}}`, groupVersion))
	serve(paths, "/openapi/v3/apis/"+groupVersion, `{"openapi":"3.0.0","info":{"title":"any-api","version":"1"},"paths":{}}`)
	return nil
}

func serve(paths *mux.PathRecorderMux, path, document string) {
	paths.HandleFunc(path, func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "application/json")
		fmt.Fprint(answer, document)
	})
}
