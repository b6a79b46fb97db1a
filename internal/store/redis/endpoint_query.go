package redis

import (
	"net/url"
)

// queryFields are the names that a query may have, and whether each counts: what the endpoint says before the query
// takes precedence, as it did in Backstage Functions.
type queryFields map[string]bool

var sentinelQuery = queryFields{
	"db": true, "password": true, "username": true, "sentinel_user": true, "sentinel_password": true,
}

// ignoredQuery are names that mean something to the Redis client of Backstage Functions and nothing here.
var ignoredQuery = map[string]bool{"family": true, "allowUsernameInURI": true}

// readQuery reads what stands behind the question mark.
func (e *endpoint) readQuery(text string, fields queryFields) error {
	values, err := url.ParseQuery(text)
	if err != nil {
		return errQuery // not wrapped: it holds the text
	}
	for name, value := range values {
		counts, known := fields[name]
		if !known && !ignoredQuery[name] || len(value) != 1 {
			return errQuery
		}
		if !counts {
			continue
		}
		if err := e.set(name, value[0]); err != nil {
			return err
		}
	}
	return nil
}

func (e *endpoint) set(name, value string) (err error) {
	switch name {
	case "db":
		e.database, err = database(value)
	case "password":
		setEmpty(&e.password, value)
	case "username":
		setEmpty(&e.username, value)
	case "sentinel_user":
		e.sentinelUser = value
	case "sentinel_password":
		e.sentinelPassword = value
	}
	return err
}

func setEmpty(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

func setFull(field *string, value string) {
	if value != "" {
		*field = value
	}
}
