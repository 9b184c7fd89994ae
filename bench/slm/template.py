"""The manifest of a made-up place whose worlds a small model is asked about: the same tools in each."""

MANIFEST = """# The assistant of a made-up {what}; world {seed}.
runtime:
  name: {name}

inference:
  tiers:
    - {{name: small, provider: embedded, model: qwen2.5-coder-1.5b}}
  temperature: 0

tools:
  - {{name: files, type: builtin, target_paths: {folders}, permissions: [read, grep, write]}}
  - {{name: text, type: builtin, target_paths: {folders}}}
  - {{name: csv, type: builtin, target_paths: [./{tables}]}}
  - {{name: sql, type: builtin, database: {database}}}
  - {{name: calc, type: builtin}}
  - {{name: time, type: builtin}}
  - {{name: shell, type: builtin, target_paths: {folders}, allow: [wc, ls, df, uptime, head, tail, sort, nproc, uname]}}
  - name: web
    type: builtin
    callers: [role:crew] # and the site is their own: what they ask may go there
    hosts: [{{host: 127.0.0.1, port: {port}, private: true, audience: [role:crew]}}]

grant:
  effects: [files.write, web.fetch] # what a task may do beyond reading; each call is still decided by the gate

workflow:
  max_steps: 10
"""
