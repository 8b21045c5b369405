"""The gateway of the pairs: a provider of each upstream kind, all of them the same simulator."""

KINDS = ["openai", "openai_responses", "anthropic", "gemini"]

MODELS = [
    "sim-stream-20",
    "sim-long-300",
    "sim-length",
    "sim-tools",
    "sim-think",
    "sim-think-tools",
    "sim-image-echo",
    "sim-json",
    "sim-mirror",
    "sim-missing",
    "sim-status-400",
    "sim-stream-20+cut-after-3",
    "sim-stream-500x20ms",
]

FAULTS = ["sim-status-429-after-9", "sim-status-500", "sim-status-503"]

SERVER = """
[server]
listen = "127.0.0.1:0"
"""

PROVIDER = """
[[provider]]
name = "{name}"
kind = "{kind}"
base_url = "{url}"
tokens = {tokens}
models = {models}
responses = "{responses}"
"""

# each call takes another token, so that no test meets another's cooldown
FAULTY = "pool = { max_wait_ms = 0, max_attempts = 1, breaker_threshold = 1000 }\n"


def config(upstream):
    """The configuration, in which `{kind}` is a sound provider and `{kind}-faulty` one whose models fail."""
    text = SERVER
    for kind in KINDS:
        url = upstream.removesuffix("/v1") + "/v1beta" if kind == "gemini" else upstream
        # what a service that has no /responses is like
        responses = "convert" if kind == "openai" else "auto"
        provider = {"kind": kind, "url": url, "responses": responses}
        tokens = [f"sk-upstream-token-{number}" for number in range(60)]
        text += PROVIDER.format(name=kind, tokens=tokens[:1], models=MODELS, **provider)
        text += PROVIDER.format(name=f"{kind}-faulty", tokens=tokens, models=FAULTS, **provider) + FAULTY
    return text
