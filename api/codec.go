package main

import (
	"net/http"

	"omniflow/internal/omniflow"
	"omniflow/internal/temporalclient"
)

// addCodec lets the Temporal UI and CLI show payloads in clear to those who
// may see them: the platform and administrators. Where the program is told so
// (local stacks only), an allowed origin needs no token.
func (s *service) addCodec(m *router) {
	codec := temporalclient.CodecHandler(temporalclient.NewCodec(s.keys), s.codecOrigins)
	for _, path := range []string{"/codec/decode", "/codec/encode"} {
		m.HandleFunc("OPTIONS "+path, codec.ServeHTTP)
		m.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			if err := s.permitCodec(r); err != nil {
				writeProblem(w, s.problem(r.Context(), err))
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
			codec.ServeHTTP(w, r)
		})
	}
}

func (s *service) permitCodec(r *http.Request) error {
	if s.codecOpen && s.codecOrigin(r.Header.Get("Origin")) {
		return nil
	}
	who, err := s.identify(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	if !who.Platform && who.Actor.Role != omniflow.Administrator {
		return omniflow.Refuse(omniflow.PermissionDenied, "ROL-04", "only the platform and administrators may decode payloads")
	}
	return nil
}

func (s *service) codecOrigin(origin string) bool {
	for _, allowed := range s.codecOrigins {
		if origin == allowed {
			return true
		}
	}
	return false
}
