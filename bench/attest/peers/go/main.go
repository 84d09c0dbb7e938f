// go-sev-guest and go-tdx-guest, everything they check switched on, offline.
package main

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	sevabi "github.com/google/go-sev-guest/abi"
	sevkds "github.com/google/go-sev-guest/kds"
	sevpb "github.com/google/go-sev-guest/proto/sevsnp"
	sevvalidate "github.com/google/go-sev-guest/validate"
	sevverify "github.com/google/go-sev-guest/verify"
	sevtrust "github.com/google/go-sev-guest/verify/trust"
	tdxverify "github.com/google/go-tdx-guest/verify"
)

type Collateral struct {
	RootCaCrl             string `json:"root_ca_crl"`
	PckCrl                string `json:"pck_crl"`
	PckCrlIssuerChain     string `json:"pck_crl_issuer_chain"`
	TcbInfo               string `json:"tcb_info"`
	TcbInfoSignature      string `json:"tcb_info_signature"`
	TcbInfoIssuerChain    string `json:"tcb_info_issuer_chain"`
	QeIdentity            string `json:"qe_identity"`
	QeIdentitySignature   string `json:"qe_identity_signature"`
	QeIdentityIssuerChain string `json:"qe_identity_issuer_chain"`
}

type Case struct {
	ID         string      `json:"id"`
	Kind       string      `json:"kind"`
	Evidence   []byte      `json:"evidence"`
	Vek        []byte      `json:"vek"`
	Ask        []byte      `json:"ask"`
	Ark        []byte      `json:"ark"`
	Crl        []byte      `json:"crl"`
	Collateral *Collateral `json:"collateral"`
	Root       []byte      `json:"root"`
	Now        int64       `json:"now"`
}

var errSkip = errors.New("SKIP: another kind of evidence")

func verify(c *Case) error {
	switch c.Kind {
	case "snp":
		return verifySnp(c)
	case "tdx":
		return verifyTdx(c)
	}
	return errSkip
}

// crlGetter answers every request with the case's CRL.
type crlGetter struct{ crl []byte }

func (g crlGetter) Get(string) ([]byte, error) { return g.crl, nil }

func verifySnp(c *Case) error {
	report, err := sevabi.ReportToProto(c.Evidence)
	if err != nil {
		return err
	}
	chain := &sevpb.CertificateChain{AskCert: c.Ask, ArkCert: c.Ark}
	info, err := sevabi.ParseSignerInfo(report.GetSignerInfo())
	if err != nil {
		return err
	}
	if info.SigningKey == sevabi.VlekReportSigner {
		chain.VlekCert = c.Vek
	} else {
		chain.VcekCert = c.Vek
	}
	options := &sevverify.Options{
		DisableCertFetching: true,
		CheckRevocations:    c.Crl != nil,
		Getter:              crlGetter{c.Crl},
		Now:                 time.Unix(c.Now, 0),
	}
	// Reports of version 2 name no product; the certificate does.
	if report.GetCpuid1EaxFms() == 0 {
		options.Product = productOf(c.Vek)
	}
	vlek := info.SigningKey == sevabi.VlekReportSigner
	if c.Root != nil || c.Crl != nil || vlek {
		// Its own roots know no issuer of VLEKs, and keep the CRL that they once saw.
		if options.TrustedRoots, err = rootsOf(c, vlek); err != nil {
			return err
		}
	}
	attestation := &sevpb.Attestation{Report: report, CertificateChain: chain, Product: options.Product}
	if err := sevverify.SnpAttestation(attestation, options); err != nil {
		return err
	}
	policy := sevabi.SnpPolicy{SMT: true, MigrateMA: true}
	return sevvalidate.SnpAttestation(attestation, &sevvalidate.Options{GuestPolicy: policy, PermitProvisionalFirmware: true})
}

func productOf(der []byte) *sevpb.SevProduct {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	extensions, err := sevkds.VcekCertificateExtensions(certificate)
	if err != nil {
		return nil
	}
	product, _ := sevkds.ParseProductName(extensions.ProductName, sevabi.VcekReportSigner)
	return product
}

func rootsOf(c *Case, vlek bool) (map[string][]*sevtrust.AMDRootCerts, error) {
	ark, err := x509.ParseCertificate(c.Ark)
	if err != nil {
		return nil, err
	}
	line := strings.TrimPrefix(ark.Subject.CommonName, "ARK-")
	root := sevtrust.AMDRootCertsProduct(line)
	chain := append(toPem(c.Ask), toPem(c.Ark)...)
	if err := root.FromKDSCertBytes(chain); err != nil {
		return nil, err
	}
	if vlek && root.ProductCerts.Asvk == nil {
		root.ProductCerts.Asvk = root.ProductCerts.Ask
	}
	return map[string][]*sevtrust.AMDRootCerts{line: {root}}, nil
}

func toPem(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pcsGetter answers as Intel's PCS would, from the case's collateral.
type pcsGetter struct{ c *Collateral }

func (g pcsGetter) Get(address string) (map[string][]string, []byte, error) {
	signed := func(name, text, signature string) []byte {
		return []byte(fmt.Sprintf(`{"%s":%s,"signature":"%s"}`, name, text, signature))
	}
	header := func(name, chain string) map[string][]string {
		return map[string][]string{name: {url.QueryEscape(strings.TrimRight(chain, "\n\x00") + "\n")}}
	}
	switch {
	case strings.Contains(address, "/tcb?"):
		return header("Tcb-Info-Issuer-Chain", g.c.TcbInfoIssuerChain), signed("tcbInfo", g.c.TcbInfo, g.c.TcbInfoSignature), nil
	case strings.Contains(address, "/qe/identity"):
		return header("Sgx-Enclave-Identity-Issuer-Chain", g.c.QeIdentityIssuerChain), signed("enclaveIdentity", g.c.QeIdentity, g.c.QeIdentitySignature), nil
	case strings.Contains(address, "/pckcrl"):
		body, err := hex.DecodeString(g.c.PckCrl)
		return header("Sgx-Pck-Crl-Issuer-Chain", g.c.PckCrlIssuerChain), body, err
	}
	body, err := hex.DecodeString(g.c.RootCaCrl)
	return nil, body, err
}

// signaturesOnly is what go-tdx-guest does unless it is told otherwise: no TCB, no QE identity, no revocation.
var signaturesOnly = false

func verifyTdx(c *Case) error {
	options := &tdxverify.Options{
		CheckRevocations: !signaturesOnly,
		GetCollateral:    !signaturesOnly,
		Getter:           pcsGetter{c.Collateral},
		Now:              time.Unix(c.Now, 0),
	}
	if c.Root != nil {
		root, err := x509.ParseCertificate(c.Root)
		if err != nil {
			return err
		}
		options.TrustedRoots = x509.NewCertPool()
		options.TrustedRoots.AddCert(root)
	}
	return tdxverify.RawTdxQuote(c.Evidence, options)
}

func check(c *Case) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("PANIC: %v", fault)
		}
	}()
	return verify(c)
}

func takeStdout() *os.File {
	kept, err := syscall.Dup(1)
	if err != nil {
		panic(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	if err := syscall.Dup2(int(null.Fd()), 1); err != nil {
		panic(err)
	}
	return os.NewFile(uintptr(kept), "answers")
}

func main() {
	// The libraries log to stdout; answers get a descriptor of their own.
	answers := takeStdout()
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	var cases []Case
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&cases); err != nil {
		panic(err)
	}
	if os.Args[1] == "check" {
		for i := range cases {
			says := "accepted"
			err := check(&cases[i])
			if err != nil {
				says = err.Error()
			}
			line, _ := json.Marshal(map[string]any{"id": cases[i].ID, "accepted": err == nil, "says": says})
			fmt.Fprintln(answers, string(line))
		}
		return
	}
	rounds, _ := strconv.Atoi(os.Args[4])
	ms, _ := strconv.Atoi(os.Args[5])
	for i := range cases {
		if cases[i].ID == os.Args[3] {
			measure(answers, &cases[i], rounds, time.Duration(ms)*time.Millisecond)
		}
	}
}

func measure(answers *os.File, c *Case, rounds int, length time.Duration) {
	out := []float64{}
	note := ""
	if check(c) != nil && c.Kind == "tdx" {
		signaturesOnly = true
		note = "signatures only"
	}
	for round := 0; round <= rounds; round++ {
		started := time.Now()
		count := 0
		for ; time.Since(started) < length; count++ {
			if err := verify(c); err != nil {
				panic(err)
			}
		}
		if round > 0 {
			out = append(out, float64(time.Since(started).Microseconds())/1000/float64(count))
		}
	}
	line, _ := json.Marshal(map[string]any{"rounds": out, "note": note})
	fmt.Fprintln(answers, string(line))
}
