package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type request struct {
	// fresh requests use a connection of their own.
	fresh bool
	list  bool
}

type client struct {
	options options
	target  target
	fresh   *http.Transport
	kept    *http.Transport
}

func newClient(t target, o options) *client {
	return &client{
		options: o,
		target:  t,
		// Without a session cache, every connection makes a full handshake.
		fresh: &http.Transport{TLSClientConfig: t.tls.Clone(), DisableKeepAlives: true},
		kept:  newHTTP2(t),
	}
}

// newHTTP2 returns a transport that sends all requests on one connection, as kubectl does.
func newHTTP2(t target) *http.Transport {
	return &http.Transport{TLSClientConfig: t.tls.Clone(), ForceAttemptHTTP2: true}
}

// tryEverything sends a request of each kind. It fails if one fails: a load that can't succeed
// measures nothing.
func (c *client) tryEverything(stop context.Context) error {
	for _, each := range []request{{}, {fresh: true}, {list: true}, {fresh: true, list: true}} {
		if stop.Err() != nil {
			return stop.Err()
		}
		if _, err := c.try(each); err != nil {
			return fmt.Errorf("the API does not work before the load: %w", err)
		}
	}
	return nil
}

// maxRetries is the limit of client-go: https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
const maxRetries = 10

// do sends a request as client-go does: a response that is 429 or 5xx and names a time in
// Retry-After is not a failure, but means that the client sends the request again after that time
// (checkWait in client-go/rest/with_retry.go). It calls retried with the text of each such
// response. It returns false if stop was done during such a wait: the request then has no result.
func (c *client) do(stop context.Context, each request, retried func(text string)) (bool, error) {
	for attempt := 0; ; attempt++ {
		after, err := c.try(each)
		if err == nil || after == 0 || attempt == maxRetries {
			return true, err
		}
		retried(err.Error())
		if !sleepUntil(stop, time.Now().Add(after)) {
			return false, nil
		}
	}
}

// try sends a request once. A response counts as a success if it is complete and is the object or
// the list that was requested. The duration is that of Retry-After, or 0.
func (c *client) try(each request) (time.Duration, error) {
	transport, url := c.kept, c.target.server+c.options.path
	if each.fresh {
		transport = c.fresh
	}
	if !each.list {
		url += "/" + c.options.object
	}
	limit, cancel := context.WithTimeout(context.Background(), c.options.timeout)
	defer cancel()
	response, err := get(limit, transport, c.target, url)
	if err != nil {
		return 0, failure(err, c.options)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, failure(err, c.options)
	}
	return retryAfter(response), c.check(each, response.StatusCode, body)
}

func retryAfter(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode < 500 {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func get(limit context.Context, transport *http.Transport, t target, url string) (*http.Response, error) {
	message, err := http.NewRequestWithContext(limit, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	message.Header.Set("Accept", "application/json")
	if t.token != "" {
		message.Header.Set("Authorization", "Bearer "+t.token)
	}
	return transport.RoundTrip(message)
}

type object struct {
	Kind     string `json:"kind"`
	Message  string `json:"message"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

func (c *client) check(each request, status int, body []byte) error {
	if status != http.StatusOK {
		return statusError(status, body)
	}
	var found object
	if err := json.Unmarshal(body, &found); err != nil {
		return fmt.Errorf("HTTP 200 with a broken body: %w", err)
	}
	if each.list && !strings.HasSuffix(found.Kind, "List") || !each.list && found.Metadata.Name != c.options.object {
		return fmt.Errorf("HTTP 200 with another object: kind %q, name %q", found.Kind, found.Metadata.Name)
	}
	return nil
}

// statusError is the status code with the message of the Status object, or with the text that
// kube-apiserver sends instead of one.
func statusError(code int, body []byte) error {
	text := strings.TrimSpace(string(body))
	var status object
	if json.Unmarshal(body, &status) == nil && status.Message != "" {
		text = status.Message
	}
	return fmt.Errorf("HTTP %d: %s", code, withoutClientPorts(text))
}

func failure(err error, o options) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no response after %s", o.timeout)
	}
	return errors.New(withoutClientPorts(err.Error()))
}

// clientPort is the client's end in the text of a failed read or write. It differs for every
// connection.
var clientPort = regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+->`)

func withoutClientPorts(text string) string { return clientPort.ReplaceAllString(text, "") }
