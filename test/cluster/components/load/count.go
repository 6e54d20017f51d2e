package main

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// report is what this program prints. All times are in UTC, all durations in milliseconds.
type report struct {
	Rate     int     `json:"rate"`
	Seconds  float64 `json:"seconds"`
	Requests int     `json:"requests"`
	// Unfinished are the requests that waited for Retry-After at the end. They count nowhere else.
	Unfinished int `json:"unfinished"`
	Failures   int `json:"failures"`
	// Failures of the requests on connections of their own.
	FreshFailures int           `json:"freshFailures"`
	ByText        []occurrences `json:"byText"`
	// Retried are the responses with Retry-After, after which the request was sent again.
	Retried []occurrences `json:"retried"`
	// LatestStart is how long a request started after it was due, at most. A large value means that
	// this machine was too busy for the rate.
	LatestStart int64    `json:"latestStartMs"`
	Latency     latency  `json:"latencyMs"`
	Watch       *watched `json:"watch,omitempty"`
}

type latency struct {
	Median int64 `json:"median"`
	P99    int64 `json:"p99"`
	Max    int64 `json:"max"`
}

// occurrences counts equal texts.
type occurrences struct {
	Text  string    `json:"text"`
	Count int       `json:"count"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}

type tally map[string]*occurrences

func (t tally) add(text string, at time.Time) {
	at = at.UTC().Truncate(time.Millisecond)
	found := t[text]
	if found == nil {
		found = &occurrences{Text: text, First: at, Last: at}
		t[text] = found
	}
	found.Count++
	if at.Before(found.First) {
		found.First = at
	}
	if at.After(found.Last) {
		found.Last = at
	}
}

// sorted returns the most frequent text first.
func (t tally) sorted() []occurrences {
	all := make([]occurrences, 0, len(t))
	for _, each := range t {
		all = append(all, *each)
	}
	slices.SortFunc(all, func(a, b occurrences) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Text, b.Text)
	})
	return all
}

type counter struct {
	mutex         sync.Mutex
	failures      int
	freshFailures int
	unfinished    int
	latestStart   time.Duration
	texts         tally
	retries       tally
	took          []time.Duration
}

func newCounter() *counter { return &counter{texts: tally{}, retries: tally{}} }

func (c *counter) late(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.latestStart = max(c.latestStart, by)
}

// add counts a request that began at this time and has ended now.
func (c *counter) add(each request, began time.Time, err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.took = append(c.took, time.Since(began))
	if err == nil {
		return
	}
	c.failures++
	if each.fresh {
		c.freshFailures++
	}
	c.texts.add(err.Error(), began)
}

func (c *counter) unended() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.unfinished++
}

func (c *counter) retried(text string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.retries.add(text, time.Now())
}

func (c *counter) report(rate int, elapsed time.Duration) report {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	slices.Sort(c.took)
	return report{
		Rate:          rate,
		Seconds:       elapsed.Truncate(time.Millisecond).Seconds(),
		Requests:      len(c.took),
		Unfinished:    c.unfinished,
		Failures:      c.failures,
		FreshFailures: c.freshFailures,
		ByText:        c.texts.sorted(),
		Retried:       c.retries.sorted(),
		LatestStart:   c.latestStart.Milliseconds(),
		Latency:       latency{Median: c.quantile(50), P99: c.quantile(99), Max: c.quantile(100)},
	}
}

// quantile needs sorted durations.
func (c *counter) quantile(percent int) int64 {
	if len(c.took) == 0 {
		return 0
	}
	return c.took[(len(c.took)-1)*percent/100].Milliseconds()
}
