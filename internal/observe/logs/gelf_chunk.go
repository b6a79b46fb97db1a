package logs

import (
	"crypto/rand"
	"fmt"
)

// A chunk of a GELF message, as its specification has it:
//
//	0x1e 0x0f | message ID, 8 bytes | number of this chunk | number of chunks | data
const (
	chunkHeader = 2 + 8 + 1 + 1
	maxChunks   = 128
)

// chunks cuts message into datagrams of at most size bytes. One that fits is sent as it is.
func chunks(message []byte, size int) ([][]byte, error) {
	if len(message) <= size {
		return [][]byte{message}, nil
	}
	room := size - chunkHeader
	count := (len(message) + room - 1) / room
	if count > maxChunks {
		return nil, fmt.Errorf(
			"gelf: a message of %d bytes does not fit into %d chunks of %d",
			len(message),
			maxChunks,
			size,
		)
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails, since Go 1.24
	datagrams := make([][]byte, count)
	for i := range datagrams {
		data := message[i*room : min((i+1)*room, len(message))]
		datagram := append(make([]byte, 0, chunkHeader+len(data)), 0x1e, 0x0f)
		datagram = append(datagram, id[:]...)
		datagram = append(datagram, byte(i), byte(count))
		datagrams[i] = append(datagram, data...)
	}
	return datagrams, nil
}
