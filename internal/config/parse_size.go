package config

import (
	"fmt"
	"strconv"

	"github.com/backstage/functions/internal/bytesize"
)

// The units of sizes.
const (
	kib int64 = 1 << (10 * (iota + 1))
	mib
	gib
	tib
)

// size reads a number of bytes with a unit.
func size(least, most int64, target func(*Config) *int64) parser {
	return sizeWithin(least, func(*Config) (int64, string) { return most, "" }, most, target)
}

// memory is size for a part of the machine's memory: at most what the machine has.
func memory(least, most int64, target func(*Config) *int64) parser {
	return sizeWithin(least, func(c *Config) (int64, string) {
		if all := c.machine.memory; all > 0 && all < most {
			return max(all, least), ", all the memory of this machine or container"
		}
		return most, ""
	}, most, target)
}

func sizeWithin(least int64, limit func(*Config) (most int64, why string), most int64,
	target func(*Config) *int64,
) parser {
	exact := func(n int64) string { return strconv.FormatInt(n, 10) }
	beyond := []string{exact(least - 1), exact(most + 1), "-1mb", "1m", "1kib", "much", "1mb 1mb", "1e9", "9999tb"}
	if least > 0 {
		beyond = append(beyond, "0")
	}
	return past(func(c *Config, text string) error {
		most, why := limit(c)
		n, err := bytesize.Parse(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("must be a number of bytes from %s to %s%s, with or without a unit (b, kb, mb, gb)",
				sizeText(least), sizeText(most), why)
		}
		*target(c) = n
		return nil
	}, []string{exact(least), sizeText(most), " " + exact(most) + " B"}, beyond)
}

// sizeText writes n in its largest unit, rounded down to a tenth.
func sizeText(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{tib, "tb"}, {gib, "gb"}, {mib, "mb"}, {kib, "kb"}} {
		if n >= unit.bytes {
			return strconv.FormatFloat(float64(n*10/unit.bytes)/10, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatInt(n, 10) + "b"
}
