package seal

import "sync"

// sampleSize is how much of a stream Auto looks at.
const sampleSize = 1 << 20

// choose is the rule of Auto: compress the sample with zstd's fastest level,
// and leave the stream as it is when that saves less than a twentieth.
func choose(sample []byte) (Compression, int) {
	if len(sample) == 0 {
		return Zstd, zstdFastest
	}
	var size counter
	enc, err := newCompressor(Zstd, zstdFastest, &size)
	if err != nil {
		return None, 0
	}
	_, err1 := enc.Write(sample)
	if err2 := enc.Close(); err1 != nil || err2 != nil {
		return None, 0
	}
	enc.release()
	if int64(size) > int64(len(sample))*19/20 {
		return None, 0
	}
	return Zstd, zstdFastest
}

// samples keeps buffers of sampleSize for the next stream.
var samples sync.Pool

func newSample() []byte {
	if b, ok := samples.Get().(*[sampleSize]byte); ok {
		return b[:0]
	}
	return make([]byte, 0, sampleSize)
}

func freeSample(b []byte) {
	if cap(b) == sampleSize {
		samples.Put((*[sampleSize]byte)(b[:sampleSize]))
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
