package server

import (
	"context"
	"fmt"
	"io"

	"github.com/backstage/functions/internal/audit"
	"github.com/backstage/functions/internal/config"
	"github.com/backstage/functions/internal/httpd/api"
	"github.com/backstage/functions/internal/observe/auditlog"
)

// openAudit records writes and refusals from now on: as lines where AUDIT_FILE says, and in the store where callers
// have keys.
func (s *server) openAudit(context.Context) (stop func() error, err error) {
	o := auditlog.Options{
		Keep:     audit.Keep{Records: s.cfg.Audit.Kept, Age: s.cfg.Audit.TTL},
		Recorded: s.measures.AuditRecorded, Unrecorded: s.measures.RefusalUnrecorded, Lost: s.measures.AuditLost,
		Logger: s.log(),
	}
	if o.Lines, err = s.auditLines(); err != nil {
		return nil, fmt.Errorf("AUDIT_FILE: %w", err)
	}
	if s.listsAudit() {
		o.Store = s.store
	}
	if o.Lines == nil && o.Store == nil {
		return nil, nil
	}
	s.audit = auditlog.New(o)
	return func() error {
		s.audit.Close()
		if s.auditFile == nil {
			return nil
		}
		return s.auditFile.Close()
	}, nil
}

// listsAudit says whether the store keeps records.
func (s *server) listsAudit() bool { return s.cfg.Auth != config.AuthOff && s.cfg.Audit.Kept > 0 }

// auditLines is where lines go; nil for nowhere.
func (s *server) auditLines() (lines io.Writer, err error) {
	switch s.cfg.Audit.File {
	case "":
		return nil, nil
	case config.AuditStdout:
		return s.out.terminal.audit, nil
	case config.AuditStderr:
		return s.out.terminal.auditErr, nil
	}
	if s.auditFile, err = auditlog.OpenFile(s.cfg.Audit.File); err != nil {
		return nil, err
	}
	return s.auditFile, nil
}

// audited sets what api.Options say of records.
func (s *server) audited(o *api.Options) {
	o.Refused = s.measures.RequestRefused
	if s.audit != nil {
		o.Audit = s.audit
	}
	if s.listsAudit() {
		o.AuditList = s.store
	}
}
