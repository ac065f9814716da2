"""Proving: the label auditor (``checks.audit``) and the conformance kit for table entries (``checks.conformance``)."""
