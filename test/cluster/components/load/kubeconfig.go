package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// target is a kube-apiserver and the identity of its client.
type target struct {
	server string
	token  string
	tls    *tls.Config
}

// kubeconfig holds the fields of a flattened kubeconfig that matter here.
type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     []byte `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Certificate []byte `json:"client-certificate-data"`
			Key         []byte `json:"client-key-data"`
			Token       string `json:"token"`
		} `json:"user"`
	} `json:"users"`
}

func readKubeconfig(path string) (target, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return target{}, err
	}
	var parsed kubeconfig
	if err := json.Unmarshal(text, &parsed); err != nil {
		return target{}, fmt.Errorf("%s is not a kubeconfig in JSON: %w", path, err)
	}
	if len(parsed.Clusters) != 1 || len(parsed.Users) != 1 {
		return target{}, fmt.Errorf("%s does not have exactly one cluster and one user", path)
	}
	cluster, user := parsed.Clusters[0].Cluster, parsed.Users[0].User
	// Without ML-KEM, a handshake takes a third less time. The specs share a small machine.
	config := &tls.Config{RootCAs: x509.NewCertPool(), CurvePreferences: []tls.CurveID{tls.X25519}}
	if !config.RootCAs.AppendCertsFromPEM(cluster.CA) {
		return target{}, errors.New("the kubeconfig has no certificate-authority-data")
	}
	if user.Certificate != nil {
		pair, err := tls.X509KeyPair(user.Certificate, user.Key)
		if err != nil {
			return target{}, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return target{server: cluster.Server, token: user.Token, tls: config}, nil
}
