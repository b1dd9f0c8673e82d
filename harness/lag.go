package harness

import "time"

// lag tells the generator's own lateness from the client's. A record's own lag is how late it would have been handed over
// had Send never taken any time: then the generator would have begun with a record when it was due and the one before was
// done, and would have needed for each as long as it did need (Lindley's recursion for the waiting times in a queue).
//
// To take off the time that Send has blocked since a record was due would not do. A client that has blocked for ten
// seconds leaves a queue behind, and the time that it takes to work that off would count against the generator, which was
// never behind by itself.
type lag struct {
	done  time.Duration // when the generator would have been done with what it had, by the run's clock
	since time.Duration // the time from here on is the generator's
}

// woke says that the generator had nothing to do until now. That it woke up too late is its own doing.
func (l *lag) woke(now time.Duration) { l.done, l.since = max(l.done, now), now }

// called says that Send was called for a record, and returns its own lag.
func (l *lag) called(due, now time.Duration) time.Duration {
	l.done = max(l.done, due) + now - l.since
	l.since = now
	return l.done - due
}

// returned says that Send has returned.
func (l *lag) returned(now time.Duration) { l.since = now }

// of is the own lag, until now, of a record for which Send was not called.
func (l *lag) of(due, now time.Duration) time.Duration {
	return max(0, l.done+now-l.since-due)
}
