# 简体中文。每个键都须与 en.ftl 一致，有测试比对。
admin = 管理
skip-to-content = 跳到正文
language = 语言
theme = 主题
theme-auto = 自动
theme-light = 浅色
theme-dark = 深色

supervision-title = 监督树
supervision-intro = 本节点所有 actor 的当前状况。出故障的会自行重启，其余照常服务。
supervision-tree = Actor 列表
search-actors = 搜索 actor
search-hint = 搜索 actor（按 / 键）
no-actor-matches = 没有路径包含“{ $query }”的 actor。清空搜索即可查看全部。
no-actors = 还没有 actor 启动。一旦启动，本页会自动显示。

actors-up = 运行中的 actor
of-total = 共 { $total } 个
restarts = 重启次数
restarts-since-start = 自启动以来
waiting = 等待中的消息
waiting-in = 最多的是 { $path }
uptime = 运行时间

column-actor = Actor
column-state = 状态
column-restarts = 重启
column-reason = 最近原因
column-waiting = 等待
column-handled = 已处理
column-action = 操作

state-starting = 启动中
state-up = 运行中
state-restarting = 重启中
state-stopped = 已停止
state-since = 自 { $time }

fall-panic = 崩溃（panic）
fall-stop = 自行停止
fall-failed_start = 启动失败
fall-frozen = 无响应
fall-arbiter_died = 所在线程已结束
fall-escalated = 随所在组重启
fall-by_hand = 手动重启
at-place = 位置 { $place }

restart = 重启
restart-path = 重启 { $path }
restart-question = 要重启这个 actor 吗？
restart-effect = 它正在处理的消息会报错；排队的消息在重启后继续处理，状态会从存储中重新读取。
cancel = 取消
restart-asked = %path% 正在重启。
restart-failed = %path% 未能重启：
connection-lost = Troupe 没有响应。本页每两秒重试一次，恢复后会自动继续。
events-lost = 实时事件已中断。在此期间，数据每两秒刷新一次。

log-title = 最近的重启
log-empty = 本节点启动以来没有发生过故障。
column-when = 时间
column-count = 次数
column-backoff = 重启等待
backoff-parent = 随所在组
ago = { $span }前
now = 刚刚

span-ms = { $ms } 毫秒
span-s = { $s } 秒
span-min = { $min } 分 { $s } 秒
span-h = { $h } 小时 { $min } 分
span-d = { $d } 天 { $h } 小时

version = Troupe { $version }
as-of = 截至 { $time }
tree-unavailable = 监督树没有响应
tree-unavailable-next = 监督者正在重启，或本节点正在关闭。请过几秒刷新本页；若仍如此，请查看日志。
