// Signer signs statements with a key that only the Keep holds. The secret named "key" (32 bytes as
// hex, delivered as the environment variable SIGNING_KEY) seeds an Ed25519 key; each line of stdin
// is one statement, and each line of stdout its signature. The public key goes first, so that
// anyone can check the signatures, and the secret itself is never printed.
package main

import (
	"bufio"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
)

const (
	keyVariable       = "SIGNING_KEY"
	statementBytesMax = 64 << 10
)

func loadKey() (ed25519.PrivateKey, error) {
	text, found := os.LookupEnv(keyVariable)
	if !found {
		return nil, errors.New("the secret " + keyVariable + " was not given")
	}
	seed, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("the secret " + keyVariable + " must be " + strconv.Itoa(ed25519.SeedSize) + " bytes in hex")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func sign(key ed25519.PrivateKey) error {
	statements := bufio.NewScanner(os.Stdin)
	statements.Buffer(nil, statementBytesMax)
	public := key.Public().(ed25519.PublicKey)
	if _, err := os.Stdout.WriteString("public key " + hex.EncodeToString(public) + "\n"); err != nil {
		return err
	}
	for statements.Scan() {
		signature := ed25519.Sign(key, statements.Bytes())
		if _, err := os.Stdout.WriteString(hex.EncodeToString(signature) + " " + statements.Text() + "\n"); err != nil {
			return err
		}
	}
	return statements.Err()
}

func main() {
	key, err := loadKey()
	if err == nil {
		err = sign(key)
	}
	if err != nil {
		os.Stderr.WriteString("signer: " + err.Error() + "\n")
		os.Exit(1)
	}
}
