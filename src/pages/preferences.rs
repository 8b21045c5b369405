//! Language and theme of a visitor: chosen by a link, kept in a cookie, else the browser's own.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderMap},
};
use serde::Deserialize;

use super::language::Language;

/// Light or dark; none follows the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn of_code(code: &str) -> Option<Self> {
        match code {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// What a page is rendered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preferences {
    pub language: Language,
    pub theme: Option<Theme>,
}

const LANGUAGE_COOKIE: &str = "troupe_language";
const THEME_COOKIE: &str = "troupe_theme";

impl Preferences {
    /// From cookies and `Accept-Language`; English where neither says.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = || Language::accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?);
        Self {
            language: cookie(headers, LANGUAGE_COOKIE)
                .and_then(Language::of_code)
                .or_else(accepted)
                .unwrap_or(Language::English),
            theme: cookie(headers, THEME_COOKIE).and_then(Theme::of_code),
        }
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// A choice made by a link on a page: `?lang=zh-CN`, `?theme=dark`, `?theme=auto`.
#[derive(Debug, Default, Deserialize)]
pub struct Choice {
    #[serde(default)]
    pub lang: Option<String>,
    #[serde(default)]
    pub theme: Option<String>,
}

impl Choice {
    /// If there is a choice: cookies that keep it, and the way back to the same page without it.
    #[must_use]
    pub fn keep(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let language = self.lang.as_deref().and_then(Language::of_code);
        let theme = self.theme.as_deref();
        if self.lang.is_none() && theme.is_none() {
            return None;
        }
        let mut response = HttpResponse::SeeOther();
        response.insert_header((header::LOCATION, without_choice(request)));
        if let Some(language) = language {
            response.append_header((header::SET_COOKIE, kept(LANGUAGE_COOKIE, language.code())));
        }
        if let Some(theme) = theme {
            let code = Theme::of_code(theme).map_or("auto", Theme::code);
            response.append_header((header::SET_COOKIE, kept(THEME_COOKIE, code)));
        }
        Some(response.finish())
    }
}

/// The same path and query, but for the choice.
fn without_choice(request: &HttpRequest) -> String {
    let query: Vec<&str> = request
        .query_string()
        .split('&')
        .filter(|pair| {
            !pair.is_empty() && !pair.starts_with("lang=") && !pair.starts_with("theme=")
        })
        .collect();
    let question = if query.is_empty() { "" } else { "?" };
    format!("{}{question}{}", request.path(), query.join("&"))
}

fn kept(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly")
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn cookies_come_before_the_browsers_wish() {
        let request = TestRequest::default()
            .insert_header((header::COOKIE, "a=b; troupe_theme=dark; troupe_language=en"))
            .insert_header((header::ACCEPT_LANGUAGE, "zh"))
            .to_http_request();
        let preferences = Preferences::of(request.headers());
        assert_eq!(preferences.language, Language::English);
        assert_eq!(preferences.theme, Some(Theme::Dark));

        let request = TestRequest::default()
            .insert_header((header::COOKIE, "troupe_theme=<script>"))
            .insert_header((header::ACCEPT_LANGUAGE, "zh"))
            .to_http_request();
        let preferences = Preferences::of(request.headers());
        assert_eq!(
            (preferences.language, preferences.theme),
            (Language::Chinese, None)
        );
    }

    #[test]
    fn a_choice_is_kept_and_leads_back() {
        let request =
            TestRequest::with_uri("/admin/supervision?lang=zh&theme=neon").to_http_request();
        assert!(Choice::default().keep(&request).is_none());
        let choice = Choice {
            lang: Some("zh".to_owned()),
            theme: Some("neon\r\nx: y".to_owned()),
        };
        let response = choice.keep(&request).unwrap();
        assert_eq!(
            response.headers().get(header::LOCATION).unwrap(),
            "/admin/supervision"
        );
        let cookies: Vec<_> = response.headers().get_all(header::SET_COOKIE).collect();
        assert!(
            cookies[0]
                .to_str()
                .unwrap()
                .starts_with("troupe_language=zh-CN;")
        );
        assert!(
            cookies[1]
                .to_str()
                .unwrap()
                .starts_with("troupe_theme=auto;")
        );
    }
}
