//! One HTTP call of an errand, without its credential.

use serde_json::Value;

/// A call to make. Whoever runs the errand puts the credential in, and the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub method: Method,
    /// Whole, of a host that the operator configured; never taken from an upstream's answer.
    pub url: String,
    /// Without the credential.
    pub headers: Vec<(&'static str, String)>,
    pub auth: Auth,
    pub body: Body,
    pub patience: Patience,
    /// Whether the answer is read as events ([`Heard::Event`](super::Heard::Event)) rather than whole.
    pub events: bool,
    /// Whether it may be made again after a fault, since it changes nothing: a question after a task.
    pub repeats: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As it stands in the request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// How the credential goes along; without one, nothing does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    None,
    /// `authorization: Bearer …`
    Bearer,
    /// In the header of that name, bare.
    Header(&'static str),
    /// As that field of the JSON body.
    JsonField(&'static str),
    /// Signed as VolcEngine wants it; the credential is `AK|SK` or `AK|SK|session token`.
    Volc {
        region: &'static str,
        service: &'static str,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    None,
    /// May hold marks of input files ([`Order::inline`](super::Order::inline)).
    Json(Value),
    /// `multipart/form-data`, its files streamed.
    Form(Vec<Field>),
    /// One input file as it is, of that type.
    File {
        input: usize,
        mime: &'static str,
    },
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    Text {
        name: String,
        value: String,
    },
    /// The input file at that place; its name and type are made from its kind.
    File {
        name: String,
        input: usize,
    },
}

impl Field {
    pub fn text(name: impl Into<String>, value: impl ToString) -> Self {
        Self::Text {
            name: name.into(),
            value: value.to_string(),
        }
    }

    pub fn file(name: impl Into<String>, input: usize) -> Self {
        Self::File {
            name: name.into(),
            input,
        }
    }
}

/// How long an answer may take to begin: a class of the configuration's `[pictures]` time-outs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Patience {
    /// A question after a task: 15 s.
    Quick,
    /// Submitting a task, uploading: 30 s.
    Short,
    /// The picture itself is drawn meanwhile: 120 s.
    Long,
}

impl Call {
    /// A question that changes nothing.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            auth: Auth::Bearer,
            body: Body::None,
            patience: Patience::Quick,
            events: false,
            repeats: true,
        }
    }

    /// Something that is to be done, and therefore once.
    #[must_use]
    pub fn post(url: impl Into<String>, body: Body, patience: Patience) -> Self {
        Self {
            method: Method::Post,
            body,
            patience,
            repeats: false,
            ..Self::get(url)
        }
    }

    #[must_use]
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same, its answer read as events.
    #[must_use]
    pub fn listening(mut self) -> Self {
        self.events = true;
        self
    }
}
