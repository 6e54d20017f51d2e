// Command chain verifies a serving certificate as kube-apiserver does when it connects to an
// extension API server: with crypto/tls, RootCAs from the caBundle of the APIService, and the
// ServerName <service>.<namespace>.svc.
//
//	chain CA.pem CHAIN.pem HOSTNAME
//
// It prints OK, or prints the error and exits with 1. Exit code 2 means wrong
// arguments or an unreadable file.
package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: chain CA.pem CHAIN.pem HOSTNAME")
		os.Exit(2)
	}
	if err := verify(read(os.Args[1]), read(os.Args[2]), os.Args[3]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("OK")
}

func read(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return content
}

// verify follows crypto/tls Conn.verifyServerCertificate. It fills the pool as
// k8s.io/client-go/transport does.
func verify(ca, chain []byte, hostname string) error {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return fmt.Errorf("unable to load root certificates")
	}
	var leaf *x509.Certificate
	intermediates := x509.NewCertPool()
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		if leaf == nil {
			leaf = certificate
		} else {
			intermediates.AddCert(certificate)
		}
	}
	if leaf == nil {
		return fmt.Errorf("no certificate")
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		DNSName:       hostname,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}
