package filewatch

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Read reads at most limit bytes of a regular file. Anything else, such as a pipe or a device, could block or never end,
// and is an error. Who needs to know whether there is more asks for one byte more than is allowed.
func Read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	return data, errors.Join(err, f.Close())
}
