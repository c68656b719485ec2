package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A certificate to be made; kubeconfig is for clients of the API server.
type certificate struct {
	name          string
	organizations []string
	commonName    string
	addresses     []string
	names         []string
	kubeconfig    bool
}

// An authority signs all certificates of one cluster.
type authority struct {
	directory string
	server    string
	cert      *x509.Certificate
	key       crypto.Signer
	pem       []byte
}

// A cluster of tests lives for hours; its certificates need not be renewed.
const lifetime = 365 * 24 * time.Hour

// makeCertificates writes the authority, all certificates, the keys of service account tokens, and the kubeconfigs.
func makeCertificates() error {
	flags := flag.NewFlagSet("certificates", flag.ExitOnError)
	directory := flags.String("directory", "", "where the files go")
	server := flags.String("server", "", "URL of the API server for kubeconfigs")
	addresses := flags.String("server-addresses", "", "addresses of the API server, by commas")
	nodes := flags.String("nodes", "", "NAME=ADDRESS of every node, by commas")
	_ = flags.Parse(os.Args[1:])
	if *directory == "" || *server == "" || *nodes == "" {
		return errors.New("needs -directory, -server and -nodes")
	}
	if err := os.MkdirAll(*directory, 0o700); err != nil {
		return err
	}
	ca, err := newAuthority(*directory, *server)
	if err != nil {
		return err
	}
	wanted := controlPlane(append(strings.Split(*addresses, ","), "127.0.0.1"))
	for _, node := range strings.Split(*nodes, ",") {
		name, address, ok := strings.Cut(node, "=")
		if !ok {
			return fmt.Errorf("-nodes: %q is not NAME=ADDRESS", node)
		}
		user := certificate{organizations: []string{"system:nodes"}, commonName: "system:node:" + name}
		client, serving := user, user
		client.name, client.kubeconfig = "kubelet-"+name, true
		serving.name, serving.addresses, serving.names = "serving-"+name, []string{address}, []string{name}
		wanted = append(wanted, client, serving)
	}
	for _, one := range wanted {
		if err := ca.issue(one); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return writeTokenKeys(*directory)
}

func controlPlane(addresses []string) []certificate {
	masters := []string{"system:masters"}
	names := []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	return []certificate{
		{name: "apiserver", commonName: "kube-apiserver", addresses: addresses, names: names},
		{name: "apiserver-kubelet", organizations: masters, commonName: "apiserver-kubelet-client"},
		{name: "front-proxy", commonName: "front-proxy"},
		{name: "admin", organizations: masters, commonName: "admin", kubeconfig: true},
		{name: "controller-manager", commonName: "system:kube-controller-manager", kubeconfig: true},
		{name: "scheduler", commonName: "system:kube-scheduler", kubeconfig: true},
		{name: "proxy", commonName: "system:kube-proxy", kubeconfig: true},
	}
}

func newAuthority(directory, server string) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kubernetes"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	ca := &authority{directory: directory, server: server, cert: cert, key: key, pem: toPEM("CERTIFICATE", der)}
	return ca, writePair(directory, "ca", ca.pem, key)
}

func (ca *authority) issue(wanted certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: wanted.commonName, Organization: wanted.organizations},
		NotBefore: ca.cert.NotBefore, NotAfter: ca.cert.NotAfter, DNSNames: wanted.names,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, address := range wanted.addresses {
		ip := net.ParseIP(address)
		if ip == nil {
			return fmt.Errorf("%q is not an address", address)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return err
	}
	cert := toPEM("CERTIFICATE", der)
	if err := writePair(ca.directory, wanted.name, cert, key); err != nil || !wanted.kubeconfig {
		return err
	}
	der, err = x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return ca.writeKubeconfig(wanted.name, cert, toPEM("PRIVATE KEY", der))
}

// The data is inside, so that the file can be copied anywhere.
func (ca *authority) writeKubeconfig(name string, cert, key []byte) error {
	encode := base64.StdEncoding.EncodeToString
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: cluster
clusters:
  - name: cluster
    cluster:
      server: %s
      certificate-authority-data: %s
users:
  - name: %[3]s
    user:
      client-certificate-data: %s
      client-key-data: %s
contexts:
  - name: cluster
    context:
      cluster: cluster
      user: %[3]s
`, ca.server, encode(ca.pem), name, encode(cert), encode(key))
	return os.WriteFile(filepath.Join(ca.directory, name+".kubeconfig"), []byte(text), 0o600)
}

// Tokens of service accounts are signed by RS256, which every verifier of tokens knows.
func writeTokenKeys(directory string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	return writePair(directory, "service-accounts", toPEM("PUBLIC KEY", public), key)
}

func writePair(directory, name string, public []byte, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(directory, name+".key"), toPEM("PRIVATE KEY", der), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(directory, name+".crt"), public, 0o644)
}

func toPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
