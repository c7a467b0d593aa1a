// Package gateway is what Traefik's forwardAuth lacks, on both sides of it: in front, a time limit for the question, which
// is 30 seconds otherwise; behind, the headers of Countersign's answer that are for the caller. It decides nothing.
package gateway

import (
	"context"
	"net/http"
	"time"
)

// Config is of the one or the other side.
type Config struct {
	// Within is how long a question may take, such as "2s"; for the side in front.
	Within string `json:"within,omitempty"`
	// Tell names the headers for the caller, which forwardAuth made headers of the request; for the side behind.
	Tell []string `json:"tell,omitempty"`
}

// CreateConfig makes an empty one.
func CreateConfig() *Config {
	return &Config{}
}

// New makes a middleware of either side.
func New(_ context.Context, next http.Handler, config *Config, _ string) (http.Handler, error) {
	if config.Within == "" {
		return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			behind(next, config.Tell, answer, request)
		}), nil
	}
	within, err := time.ParseDuration(config.Within)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		inFront(next, within, answer, request)
	}), nil
}

type before struct{}

// inFront starts the clock. The back end has its own, so the request remembers what it was without.
func inFront(next http.Handler, within time.Duration, answer http.ResponseWriter, request *http.Request) {
	limited, stop := context.WithTimeout(request.Context(), within)
	defer stop()
	next.ServeHTTP(answer, request.WithContext(context.WithValue(limited, before{}, request.Context())))
}

// behind stops the clock, and moves what is for the caller from the request to its answer.
func behind(next http.Handler, tell []string, answer http.ResponseWriter, request *http.Request) {
	for _, name := range tell {
		for _, value := range request.Header.Values(name) {
			answer.Header().Add(name, value)
		}
		request.Header.Del(name)
	}
	if unlimited, ok := request.Context().Value(before{}).(context.Context); ok {
		request = request.WithContext(unlimited)
	}
	next.ServeHTTP(answer, request)
}
