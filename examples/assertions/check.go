// Checks X-Countersign-Assertion in Go, with github.com/golang-jwt/jwt version 4. A back end calls check for every
// request, before anything else, and refuses the request with 401 where it answers an error.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/golang-jwt/jwt"
)

type request struct {
	Assertion, Method, Target, Host string
}

type claims struct {
	jwt.StandardClaims
	Method     string `json:"method"`
	Host       string `json:"host"`
	PathSHA256 string `json:"path_sha256"`
}

var (
	issuer   = os.Getenv("ISSUER")   // the public URL of Countersign
	audience = os.Getenv("AUDIENCE") // what the gateway was created with: --assertion-audience
)

const skew = 5 * time.Second

// Valid replaces the library's look at the times: clocks differ, and assertions hold for 30 seconds.
func (c *claims) Valid() error {
	now, issued, expires := time.Now(), time.Unix(c.IssuedAt, 0), time.Unix(c.ExpiresAt, 0)
	if c.Issuer != issuer || c.Audience != audience {
		return errors.New("it is of another issuer or for another audience")
	}
	if c.Subject == "" || c.Id == "" || expires.Sub(issued) > 30*time.Second {
		return errors.New("it is not an assertion")
	}
	if now.After(expires.Add(skew)) || now.Before(issued.Add(-skew)) {
		return errors.New("it does not hold now")
	}
	return nil
}

// readKeys reads the body of /.well-known/jwks.json. A back end fetches it at start, every five minutes, and once more
// for a kid that is new.
func readKeys(text []byte) (map[string]ed25519.PublicKey, error) {
	var set struct {
		Keys []struct{ Kty, Crv, Kid, X string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, err
	}
	keys := map[string]ed25519.PublicKey{}
	for _, key := range set.Keys {
		bytes, err := base64.RawURLEncoding.DecodeString(key.X)
		if err == nil && key.Kty == "OKP" && key.Crv == "Ed25519" && len(bytes) == ed25519.PublicKeySize {
			keys[key.Kid] = bytes
		}
	}
	return keys, nil
}

func check(keys map[string]ed25519.PublicKey, r request) (*claims, error) {
	parser := jwt.Parser{ValidMethods: []string{"EdDSA"}}
	read := &claims{}
	_, err := parser.ParseWithClaims(r.Assertion, read, func(token *jwt.Token) (interface{}, error) {
		if _, isCritical := token.Header["crit"]; isCritical || token.Header["typ"] != "countersign-assertion+jwt" {
			return nil, errors.New("it is another kind of statement")
		}
		id, _ := token.Header["kid"].(string)
		if key, known := keys[id]; known {
			return key, nil
		}
		return nil, errors.New("its key is not known")
	})
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(r.Target))
	if read.Method != r.Method || read.PathSHA256 != base64.RawURLEncoding.EncodeToString(hash[:]) {
		return nil, errors.New("it is about another request")
	}
	if read.Host != "" && read.Host != r.Host {
		return nil, errors.New("it is about another host")
	}
	return read, nil
}

// One request a line: {"assertion": …, "method": …, "target": …, "host": …}.
func main() {
	text, err := os.ReadFile(os.Getenv("KEY_SET"))
	keys, unreadable := readKeys(text)
	if err != nil || unreadable != nil {
		fmt.Fprintln(os.Stderr, "KEY_SET is no key set:", err, unreadable)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Println("refused", err)
			continue
		}
		if read, err := check(keys, r); err != nil {
			fmt.Println("refused", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Println("believed", read.Subject)
		}
	}
}
