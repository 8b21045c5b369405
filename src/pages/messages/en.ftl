# English. Every key is in zh-CN.ftl too; a test compares them.
admin = Admin
skip-to-content = Skip to content
language = Language
theme = Theme
theme-auto = Auto
theme-light = Light
theme-dark = Dark

supervision-title = Supervision
supervision-intro = Every actor of this node, as it is now. One that fails is restarted by itself; the others serve on.
supervision-tree = Actors
search-actors = Search actors
search-hint = Search actors ( / )
no-actor-matches = No actor has “{ $query }” in its path. Clear the search to see all of them.
no-actors = No actor has started yet. This page fills itself as soon as one does.

actors-up = Actors up
of-total = of { $total }
restarts = Restarts
restarts-since-start = since the start
waiting = Messages waiting
waiting-in = most in { $path }
uptime = Uptime

column-actor = Actor
column-state = State
column-restarts = Restarts
column-reason = Last reason
column-waiting = Waiting
column-handled = Handled
column-action = Action

state-starting = Starting
state-up = Up
state-restarting = Restarting
state-stopped = Stopped
state-since = since { $time }

fall-panic = Panic
fall-stop = Stopped by itself
fall-failed_start = Could not start
fall-frozen = Frozen
fall-arbiter_died = Its thread ended
fall-escalated = Restarted with its group
fall-by_hand = Restarted by hand
at-place = at { $place }

restart = Restart
restart-path = Restart { $path }
restart-question = Restart this actor?
restart-effect = What it handles right now fails with an error; messages that wait are handled after the restart, with the state read from storage again.
cancel = Cancel
restart-asked = %path% is being restarted.
restart-failed = %path% was not restarted:
connection-lost = Troupe does not answer. This page tries again every two seconds and goes on by itself.
events-lost = Live events are interrupted. The figures are refreshed every two seconds meanwhile.

log-title = Latest restarts
log-empty = Nothing has fallen since this node started.
column-when = When
column-count = Count
column-backoff = Back after
backoff-parent = with its group
ago = { $span } ago
now = just now

span-ms = { $ms } ms
span-s = { $s } s
span-min = { $min } min { $s } s
span-h = { $h } h { $min } min
span-d = { $d } d { $h } h

version = Troupe { $version }
as-of = as of { $time }
tree-unavailable = The supervision tree does not answer
tree-unavailable-next = The supervisor itself is restarting or this node is shutting down. Reload this page in a few seconds; if it stays so, look at the log.
