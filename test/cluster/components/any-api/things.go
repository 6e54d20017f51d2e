package main

import (
	"context"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/runtime/schema"
	genericapiserver "k8s.io/apiserver/pkg/server"

	"k8s.io/apiserver/pkg/endpoints/request"
)

// serveThings serves GET, LIST and WATCH of one thing in every namespace. The field client is the
// address of the connection. A watch stays open until the client or the server ends.
func serveThings(generic *genericapiserver.GenericAPIServer, groupVersion schema.GroupVersion, shutdown context.Context) {
	generic.Handler.NonGoRestfulMux.HandlePrefix("/apis/"+groupVersion.String()+"/", http.HandlerFunc(func(answer http.ResponseWriter, message *http.Request) {
		info, ok := request.RequestInfoFrom(message.Context())
		if !ok || info.Resource != "things" {
			http.NotFound(answer, message)
			return
		}
		thing := fmt.Sprintf(
			`{"apiVersion":%q,"kind":"Thing","metadata":{"name":"one","namespace":%q,"uid":"1","resourceVersion":"1"},"client":%q}`,
			groupVersion, info.Namespace, message.RemoteAddr,
		)
		answer.Header().Set("Content-Type", "application/json")
		switch {
		case info.Verb == "list":
			fmt.Fprintf(answer, `{"apiVersion":%q,"kind":"ThingList","metadata":{"resourceVersion":"1"},"items":[%s]}`, groupVersion, thing)
		case info.Verb == "get" && info.Name == "one":
			fmt.Fprint(answer, thing)
		case info.Verb == "watch":
			fmt.Fprintf(answer, `{"type":"ADDED","object":%s}`+"\n", thing)
			answer.(http.Flusher).Flush()
			select {
			case <-message.Context().Done():
			case <-shutdown.Done():
			}
		default:
			http.NotFound(answer, message)
		}
	}))
}

// closeConnections makes the server close every connection after one response, so that
// kube-apiserver makes a TLS handshake for every request.
func closeConnections(next http.Handler) http.Handler {
	return http.HandlerFunc(func(answer http.ResponseWriter, message *http.Request) {
		answer.Header().Set("Connection", "close")
		next.ServeHTTP(answer, message)
	})
}
