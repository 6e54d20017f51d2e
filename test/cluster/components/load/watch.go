package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// watched is what happened to the watch.
type watched struct {
	// Opened is 1 for a watch that survived.
	Opened int `json:"opened"`
	// LongestGap is the longest time without an open watch, also one that has not ended.
	LongestGap int64 `json:"longestGapMs"`
	// Closed tells why the watch ended, or could not be opened again.
	Closed []occurrences `json:"closed"`
	Events int           `json:"events"`
}

type watcher struct {
	target  target
	options options
	// The watch uses a connection of its own, so it does not depend on that of the requests.
	transport *http.Transport
	mutex     sync.Mutex
	seen      watched
	texts     tally
	// closedAt is zero while the watch is open.
	closedAt time.Time
	started  bool
}

func newWatcher(t target, o options) *watcher {
	return &watcher{target: t, options: o, transport: newHTTP2(t), texts: tally{}}
}

// start opens the watch, and keeps opening it again until stop is done.
func (w *watcher) start(stop context.Context) error {
	w.started = true
	w.closed("", time.Now())
	response, err := w.open(stop)
	if err != nil {
		return fmt.Errorf("the watch does not open before the load: %w", err)
	}
	go func() {
		for {
			if err == nil {
				err = w.read(response)
			}
			if stop.Err() != nil {
				return
			}
			w.closed(err.Error(), time.Now())
			sleepUntil(stop, time.Now().Add(20*time.Millisecond))
			response, err = w.open(stop)
		}
	}()
	return nil
}

func (w *watcher) open(stop context.Context) (*http.Response, error) {
	limit, cancel := context.WithCancelCause(stop)
	timer := time.AfterFunc(w.options.timeout, func() { cancel(context.DeadlineExceeded) })
	response, err := get(limit, w.transport, w.target, w.target.server+w.options.path+"?watch=true&timeoutSeconds=7200")
	if !timer.Stop() {
		return nil, fmt.Errorf("the watch does not open within %s", w.options.timeout)
	}
	if err != nil {
		return nil, failure(err, w.options)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		return nil, statusError(response.StatusCode, body)
	}
	w.opened(time.Now())
	return response, nil
}

// read reads events until the watch ends. It returns the reason, never nil.
func (w *watcher) read(response *http.Response) error {
	defer response.Body.Close()
	events := json.NewDecoder(bufio.NewReader(response.Body))
	for {
		var event struct {
			Type   string `json:"type"`
			Object object `json:"object"`
		}
		if err := events.Decode(&event); err != nil {
			return failure(err, w.options)
		}
		if event.Type == "ERROR" {
			return fmt.Errorf("ERROR event: %s", event.Object.Message)
		}
		w.mutex.Lock()
		w.seen.Events++
		w.mutex.Unlock()
	}
}

func (w *watcher) opened(at time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	// Before the first watch opens there is no gap.
	if w.seen.Opened > 0 {
		w.seen.LongestGap = max(w.seen.LongestGap, at.Sub(w.closedAt).Milliseconds())
	}
	w.seen.Opened++
	w.closedAt = time.Time{}
}

func (w *watcher) closed(reason string, at time.Time) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.closedAt.IsZero() {
		w.closedAt = at
	}
	if reason != "" {
		w.texts.add(reason, at)
	}
}

// report returns nil without a watch.
func (w *watcher) report() *watched {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if !w.started {
		return nil
	}
	seen := w.seen
	if !w.closedAt.IsZero() {
		seen.LongestGap = max(seen.LongestGap, time.Since(w.closedAt).Milliseconds())
	}
	seen.Closed = w.texts.sorted()
	return &seen
}
