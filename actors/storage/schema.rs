//! The tables as diesel sees them; `migrations/` holds the truth. Times are milliseconds since 1970 (UTC).

diesel::table! {
    apps (id) {
        id -> Text,
        name -> Text,
        max_in_flight -> Nullable<Integer>,
        created_at -> BigInt,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        app_id -> Text,
        name -> Text,
        hash -> Text,
        hint -> Text,
        created_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        dedupe -> Text,
    }
}

diesel::table! {
    calls (id) {
        id -> Text,
        at -> BigInt,
        app_id -> Text,
        key_id -> Text,
        endpoint -> Text,
        model -> Text,
        provider -> Text,
        upstream_model -> Text,
        token_alias -> Text,
        attempts -> Integer,
        stream -> Bool,
        status -> Integer,
        outcome -> Text,
        error_code -> Nullable<Text>,
        prompt_tokens -> Nullable<BigInt>,
        completion_tokens -> Nullable<BigInt>,
        cached_tokens -> Nullable<BigInt>,
        reasoning_tokens -> Nullable<BigInt>,
        latency_us -> BigInt,
        first_byte_us -> Nullable<BigInt>,
        overhead_us -> BigInt,
        bytes_out -> BigInt,
    }
}

diesel::table! {
    restarts (id) {
        id -> Text,
        at -> BigInt,
        path -> Text,
        reason -> Text,
        message -> Text,
        place -> Text,
        count -> Integer,
        backoff_ms -> BigInt,
        node -> Text,
    }
}

diesel::table! {
    credential_states (provider, token_hash, model) {
        provider -> Text,
        token_hash -> Text,
        model -> Text,
        cold_until -> Nullable<BigInt>,
        disabled_at -> Nullable<BigInt>,
        reason -> Text,
        failures -> Integer,
        updated_at -> BigInt,
    }
}

diesel::table! {
    provider_states (provider) {
        provider -> Text,
        state -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Text,
    }
}

diesel::table! {
    media (name) {
        name -> Text,
        mime -> Text,
        bytes -> BigInt,
        created_at -> BigInt,
        app_id -> Text,
        call_id -> Text,
        object -> Text,
        sha256 -> Text,
    }
}

diesel::table! {
    responses (id) {
        id -> Text,
        app_id -> Text,
        previous_id -> Nullable<Text>,
        model -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        input -> Text,
        output -> Text,
    }
}

diesel::table! {
    idempotent_answers (app_id, key, route) {
        app_id -> Text,
        key -> Text,
        route -> Text,
        fingerprint -> Binary,
        status -> Integer,
        headers -> Text,
        body -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> Text,
        app_id -> Text,
        call_id -> Text,
        model -> Text,
        provider -> Text,
        target -> Text,
        upstream_model -> Text,
        action -> Text,
        priority -> Integer,
        state -> Text,
        revision -> Integer,
        attempts -> Integer,
        interruptions -> Integer,
        draft -> Text,
        tickets -> Nullable<Text>,
        results -> Nullable<Text>,
        error -> Nullable<Text>,
        created_at -> BigInt,
        started_at -> Nullable<BigInt>,
        wake_at -> Nullable<BigInt>,
        finished_at -> Nullable<BigInt>,
        price -> BigInt,
        made -> Nullable<Text>,
        others -> Nullable<Text>,
        owner -> Nullable<Text>,
        leased_until -> Nullable<BigInt>,
        prompt -> Text,
        tags -> Nullable<Text>,
        submission -> Nullable<Text>,
        fingerprint -> Nullable<Text>,
    }
}

diesel::table! {
    charges (job_id) {
        job_id -> Text,
        app_id -> Text,
        provider -> Text,
        model -> Text,
        pictures -> Integer,
        micro_credits -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    images (id) {
        id -> Text,
        job_id -> Text,
        app_id -> Text,
        position -> Integer,
        name -> Text,
        mime -> Text,
        bytes -> BigInt,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        pinned -> Bool,
        created_at -> BigInt,
    }
}

diesel::table! {
    thumbnails (image_id, mime) {
        image_id -> Text,
        mime -> Text,
        name -> Text,
    }
}

diesel::table! {
    user_tags (image_id, tag_name) {
        image_id -> Text,
        tag_name -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_endpoints (id) {
        id -> Text,
        app_id -> Text,
        url -> Text,
        topics -> Text,
        created_at -> BigInt,
        disabled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    webhook_secrets (owner) {
        owner -> Text,
        id -> Text,
        sealed -> Text,
        earlier -> Nullable<Text>,
        earlier_until -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    webhook_callbacks (job_id) {
        job_id -> Text,
        url -> Text,
        shape -> Text,
    }
}

diesel::table! {
    webhook_deliveries (id) {
        id -> Text,
        app_id -> Text,
        endpoint_id -> Nullable<Text>,
        job_id -> Text,
        topic -> Text,
        shape -> Text,
        url -> Text,
        receiver -> Text,
        body -> Text,
        state -> Text,
        attempts -> Integer,
        last_status -> Nullable<Integer>,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        queued_at -> BigInt,
        next_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::joinable!(api_keys -> apps (app_id));
diesel::joinable!(images -> jobs (job_id));
diesel::joinable!(user_tags -> images (image_id));
diesel::allow_tables_to_appear_in_same_query!(apps, api_keys);
diesel::allow_tables_to_appear_in_same_query!(images, jobs, media, thumbnails, user_tags);
