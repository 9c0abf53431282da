package temporalclient

import (
	"fmt"
	"net/http"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"omniflow/internal/keyring"
)

const (
	encodingEncrypted = "binary/encrypted"
	metadataKeyID     = "encryption-key-id"
)

// payloadPurpose is the associated data of every payload: what a secret of
// another purpose was sealed with cannot be passed off as a payload.
var payloadPurpose = []byte("temporal payload")

// Codec encrypts every payload that goes to Temporal and decrypts what comes
// back. The key's id travels in the metadata, so keys can rotate while runs
// are open. What is encrypted already passes Encode unchanged; what is not
// encrypted passes Decode unchanged.
type Codec struct {
	ring *keyring.Ring
}

// NewCodec makes a Codec with the keys of ring.
func NewCodec(ring *keyring.Ring) *Codec { return &Codec{ring: ring} }

// Encode implements converter.PayloadCodec.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if encrypted(payload) {
			out[i] = payload
			continue
		}
		plain, err := proto.Marshal(payload)
		if err != nil {
			return nil, fmt.Errorf("encrypt payload: %w", err)
		}
		id, sealed := c.ring.SealWith(plain, payloadPurpose)
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(encodingEncrypted), metadataKeyID: []byte(id)},
			Data:     sealed,
		}
	}
	return out, nil
}

// Decode implements converter.PayloadCodec.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, payload := range payloads {
		if !encrypted(payload) {
			out[i] = payload
			continue
		}
		plain, err := c.ring.OpenWith(string(payload.Metadata[metadataKeyID]), payload.Data, payloadPurpose)
		if err != nil {
			return nil, fmt.Errorf("decrypt payload: %w", err)
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(plain, out[i]); err != nil {
			return nil, fmt.Errorf("decrypt payload: %w", err)
		}
	}
	return out, nil
}

func encrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == encodingEncrypted
}

// CodecHandler answers POST …/encode and …/decode for the Temporal UI and
// CLI. allowed are the origins whose pages may call it (CORS, OPTIONS too);
// who may call it at all is the caller's to decide.
func CodecHandler(codec *Codec, allowed []string) http.Handler {
	inner := converter.NewPayloadCodecHTTPHandler(codec)
	origins := make(map[string]bool, len(allowed))
	for _, origin := range allowed {
		origins[origin] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		if origin := r.Header.Get("Origin"); origins[origin] {
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Set("Access-Control-Allow-Credentials", "true")
			w.Header().Set("Access-Control-Allow-Methods", "POST, OPTIONS")
			w.Header().Set("Access-Control-Allow-Headers", "Content-Type, X-Namespace, Authorization, Authorization-Extras")
			w.Header().Set("Access-Control-Max-Age", "600")
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		inner.ServeHTTP(w, r)
	})
}
