use super::*;

const CREDENTIAL_QUOTA: FailureKind = FailureKind::QuotaExhausted {
    scope: QuotaScope::Credential,
    retry_after: None,
};
const LIMITED: FailureKind = FailureKind::RateLimited { retry_after: None };
const OVERLOADED: FailureKind = FailureKind::Overloaded { retry_after: None };

fn check(cases: &[(u16, &str, FailureKind)]) {
    for (status, body, expected) in cases {
        assert_eq!(
            classify(*status, None, body.as_bytes()),
            *expected,
            "{status} {body}"
        );
    }
}

#[test]
fn openai_and_azure() {
    use FailureKind::*;
    check(&[
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            AuthInvalid,
        ),
        (
            429,
            r#"{"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
            LIMITED,
        ),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            400,
            r#"{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            403,
            r#"{"error":{"message":"Project `proj_x` does not have access to model `gpt-4o`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            NotEntitled,
        ),
        (
            404,
            r#"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            InvalidRequest,
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            InvalidRequest,
        ),
        (
            400,
            r#"{"error":{"code":"content_policy_violation","message":"Your request was rejected as a result of our safety system.","param":null,"type":"image_generation_user_error"}}"#,
            ContentPolicy,
        ),
        (
            400,
            r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400}}"#,
            ContentPolicy,
        ),
        (
            500,
            r#"{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":null}}"#,
            Upstream,
        ),
        (
            503,
            r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"server_error"}}"#,
            OVERLOADED,
        ),
    ]);
}

#[test]
fn other_compatible_services() {
    use FailureKind::*;
    check(&[
        // DeepSeek
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            401,
            r#"{"error":{"message":"Authentication Fails (no such user)","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#,
            AuthInvalid,
        ),
        // Moonshot
        (
            429,
            r#"{"error":{"message":"Your account org-4 <ak-f> is suspended due to insufficient balance, please recharge your account or check your plan and billing details","type":"exceeded_current_quota_error"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            429,
            r#"{"error":{"type":"rate_limit_reached_error","message":"Your account x request reached project TPM rate limit, current: 1410, limit: 100"}}"#,
            LIMITED,
        ),
        (
            429,
            r#"{"error":{"message":"The engine is currently overloaded, please try again later","type":"engine_overloaded_error"}}"#,
            OVERLOADED,
        ),
        (
            400,
            r#"{"error":{"message":"The request was rejected because it was considered high risk","type":"content_filter"}}"#,
            ContentPolicy,
        ),
        // Zhipu
        (
            429,
            r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."},"request_id":"2026"}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            429,
            r#"{"error":{"code":"1113","message":"余额不足或无可用资源包,请充值。"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            429,
            r#"{"error":{"code":"1302","message":"您当前使用该API的并发数过高"}}"#,
            LIMITED,
        ),
        (
            429,
            r#"{"error":{"code":"1305","message":"当前API请求过多,请稍后重试"}}"#,
            OVERLOADED,
        ),
        (
            400,
            r#"{"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容"}}"#,
            ContentPolicy,
        ),
        (
            401,
            r#"{"error":{"code":"1002","message":"Authorization Token非法"}}"#,
            AuthInvalid,
        ),
        // DashScope
        (
            400,
            r#"{"error":{"code":"Arrearage","param":null,"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage"},"id":"x"}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            400,
            r#"{"error":{"code":"data_inspection_failed","param":null,"message":"Input data may contain inappropriate content.","type":"data_inspection_failed"}}"#,
            ContentPolicy,
        ),
        (
            429,
            r#"{"error":{"code":"insufficient_quota","message":"Allocated quota exceeded, please increase your quota limit.","type":"insufficient_quota"}}"#,
            LIMITED,
        ),
        (
            429,
            r#"{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded, please try again later.","request_id":"x"}"#,
            LIMITED,
        ),
        (
            403,
            r#"{"error":{"code":"AllocationQuota.FreeTierOnly","message":"The free tier of the model has been exhausted."}}"#,
            QuotaExhausted {
                scope: QuotaScope::CredentialModel,
                retry_after: None,
            },
        ),
        (
            401,
            r#"{"code":"InvalidApiKey","message":"Invalid API-key provided.","request_id":"x"}"#,
            AuthInvalid,
        ),
        (
            403,
            r#"{"code":"AccessDenied.Unpurchased","message":"Access to model denied."}"#,
            NotEntitled,
        ),
        // xAI
        (
            400,
            r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***zz. You can obtain an API key from https://console.x.ai."}"#,
            AuthInvalid,
        ),
        (
            429,
            r#"{"code":"Some resource has been exhausted","error":"Your team 16f2151a has either used all available credits or reached its monthly spending limit."}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            403,
            r#"{"code":"The caller does not have permission","error":"Your team c03b has either used all available credits or reached its monthly spending limit."}"#,
            CREDENTIAL_QUOTA,
        ),
        // SiliconFlow
        (
            403,
            r#"{"code":30011,"message":"The selected model requires paid balance. Your paid balance is insufficient.","data":null}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            400,
            r#"{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}"#,
            InvalidRequest,
        ),
        (
            503,
            r#"{"code":50505,"message":"Model service overloaded. Please try again later.","data":null}"#,
            OVERLOADED,
        ),
        // OpenRouter
        (
            402,
            r#"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/credits","code":402}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            403,
            r#"{"error":{"message":"x requires moderation. Your input was flagged","code":403,"metadata":{"reasons":["violence"],"flagged_input":"…"}}}"#,
            ContentPolicy,
        ),
        // Gitee, Ark, Ollama, FastAPI
        (
            400,
            r#"{"error":{"message":"Today the free API access limit exceeded."}}"#,
            CREDENTIAL_QUOTA,
        ),
        (
            400,
            r#"{"error":{"code":"InputTextSensitiveContentDetected","message":"The request failed","type":"BadRequest"}}"#,
            ContentPolicy,
        ),
        (
            403,
            r#"{"error":{"code":"AccountOverdueError","message":"overdue","type":"Forbidden"}}"#,
            CREDENTIAL_QUOTA,
        ),
        (404, r#"{"error":"model 'x' not found"}"#, InvalidRequest),
        (
            422,
            r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
            InvalidRequest,
        ),
    ]);
}

#[test]
fn bare_statuses() {
    use FailureKind::*;
    let html = "<html><body>Bad gateway</body></html>";
    check(&[
        (400, "", InvalidRequest),
        (401, html, AuthInvalid),
        (402, "", CREDENTIAL_QUOTA),
        (403, html, NotEntitled),
        (408, "", Timeout),
        (413, "", InvalidRequest),
        (415, "", InvalidRequest),
        (429, "", LIMITED),
        (498, "", OVERLOADED),
        (500, html, Upstream),
        (502, html, Upstream),
        (503, html, OVERLOADED),
        (504, html, Timeout),
        (524, html, Timeout),
        (529, "{", OVERLOADED),
        (302, "", Upstream),
        // a broken server's body must not disable the token
        (500, r#"{"error":{"code":"invalid_api_key"}}"#, Upstream),
        (
            500,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            OVERLOADED,
        ),
    ]);
}

#[test]
fn a_quoted_request_harms_no_credential() {
    use FailureKind::InvalidRequest;
    check(&[
        (
            400,
            r#"{"error":{"message":"Invalid value: 'Incorrect API key provided'.","code":"invalid_value"}}"#,
            InvalidRequest,
        ),
        (
            400,
            r#"{"error":{"message":"unknown field `exceeded your current quota`"}}"#,
            InvalidRequest,
        ),
        (
            404,
            r#"{"error":{"message":"The model `insufficient balance` does not exist","code":"model_not_found"}}"#,
            InvalidRequest,
        ),
    ]);
}

#[test]
fn the_upstreams_wait_is_kept() {
    let wait = Some(Duration::from_secs(9));
    assert_eq!(
        classify(429, wait, b""),
        FailureKind::RateLimited { retry_after: wait }
    );
    assert_eq!(
        classify(503, wait, b""),
        FailureKind::Overloaded { retry_after: wait }
    );
    let quota = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: wait,
    };
    assert_eq!(
        classify(429, wait, br#"{"error":{"code":"insufficient_quota"}}"#),
        quota
    );
}

#[test]
fn googles_quota_of_a_minute_is_a_rate_and_that_of_a_day_is_not() {
    let body = |per: &str| {
        format!(
            r#"[{{"error":{{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{{"violations":[{{"quotaId":"InputTokensPerModelPer{per}-FreeTier"}}]}},{{"retryDelay":"26s"}}]}}}}]"#
        )
    };
    let wait = Some(Duration::from_secs(26));
    let minute = classify(429, None, body("Minute").as_bytes());
    assert_eq!(minute, FailureKind::RateLimited { retry_after: wait });
    let day = classify(429, None, body("Day").as_bytes());
    let quota = FailureKind::QuotaExhausted {
        scope: QuotaScope::Credential,
        retry_after: wait,
    };
    assert_eq!(day, quota);
}

#[test]
fn error_events() {
    let cases = [
        (
            r#"{"error":{"message":"x","type":"rate_limit_error"}}"#,
            LIMITED,
        ),
        (
            r#"{"error":{"code":429,"message":"Provider returned error"},"choices":[]}"#,
            LIMITED,
        ),
        (
            r#"{"error":{"code":502,"message":"Provider disconnected"}}"#,
            FailureKind::Upstream,
        ),
        (
            r#"{"error":{"message":"Overloaded","type":"overloaded_error"}}"#,
            OVERLOADED,
        ),
        (
            r#"{"error":{"message":"flagged","code":"content_filter"}}"#,
            FailureKind::ContentPolicy,
        ),
        (r#"{"error":"something"}"#, FailureKind::Upstream),
        ("oops", FailureKind::Upstream),
    ];
    for (data, expected) in cases {
        assert_eq!(classify_event(data.as_bytes()), expected, "{data}");
    }
}
