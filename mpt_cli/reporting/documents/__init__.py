"""Types of the JSON documents: the envelope of ``--json``, the ``data`` of each command, and the manifest.

The functions that build a document return these types, and the JSON Schemas in ``share/schemas`` are generated from
them (:mod:`mpt_cli.display.schemas`). The documents are a contract: fields are added, and never renamed or removed.
No key is ever absent; a missing value is null.
"""
