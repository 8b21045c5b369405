//! Finds the files in what a Gradio function gave back, in every shape seen.
//!
//! | shape | is |
//! |---|---|
//! | `{"path", "url", "orig_name", "mime_type", "is_stream"}` | a file |
//! | `[{"image": file, "caption"}, …]` | a gallery |
//! | `{"video": file, "subtitles"}` | a video |
//! | `[file, file]` | a slider: before and after |
//! | `{"__type__": "update", "value": …}` | a component that was changed |
//! | `"https://…"`, `"data:image/…"` | a link, a picture |

use serde_json::Value;

use super::{
    super::{Order, Source},
    space::Space,
};

/// The files of the first argument that has any, no more than were ordered. `prefix` is where the app has its
/// files: `/gradio_api`, or nothing.
pub(super) fn files(data: &Value, order: &Order, space: &Space, prefix: &str) -> Vec<Source> {
    let place = Place {
        order,
        space,
        prefix,
    };
    let outputs = data.as_array().into_iter().flatten();
    let mut found = outputs
        .map(|output| place.output(output))
        .find(|found| !found.is_empty())
        .unwrap_or_default();
    found.truncate(order.count.max(1) as usize);
    found
}

struct Place<'a> {
    order: &'a Order,
    space: &'a Space,
    prefix: &'a str,
}

impl Place<'_> {
    fn output(&self, output: &Value) -> Vec<Source> {
        match output {
            // a slider's second file is the one that was made
            Value::Array(list) if list.len() == 2 && list.iter().all(is_bare) => {
                self.file(&list[1]).into_iter().collect()
            }
            Value::Array(list) => list.iter().filter_map(|entry| self.file(entry)).collect(),
            output => self.file(output).into_iter().collect(),
        }
    }

    fn file(&self, value: &Value) -> Option<Source> {
        match value {
            Value::String(text) => self.text(text),
            Value::Object(fields) => {
                let inner = ["image", "video", "value"]
                    .iter()
                    .find_map(|name| fields.get(*name));
                match inner {
                    Some(inner) => self.output(inner).into_iter().next(),
                    None => self.data(value),
                }
            }
            _ => None,
        }
    }

    /// A bare text: other outputs are texts too, which are no files.
    fn text(&self, text: &str) -> Option<Source> {
        if text.starts_with("https://") || text.starts_with("http://") {
            return self.link(text);
        }
        if text.starts_with("data:") {
            return Some(self.order.source(text));
        }
        text.starts_with("/tmp/").then(|| self.path(text))
    }

    fn data(&self, file: &Value) -> Option<Source> {
        if file["is_stream"] == true {
            return None;
        }
        let text = |name: &str| file[name].as_str().filter(|text| !text.is_empty());
        let link = text("url").or_else(|| text("path").filter(|path| path.starts_with("http")));
        match link {
            Some(link) => self.text(link),
            None => Some(self.path(text("path").or_else(|| text("name"))?)),
        }
    }

    /// A playlist is no file of its own.
    fn link(&self, url: &str) -> Option<Source> {
        let path = url.split(['?', '#']).next().unwrap_or_default();
        (!path.ends_with(".m3u8")).then(|| Source::Link {
            url: url.to_owned(),
            credential: self.space.trusted && self.space.has(url),
        })
    }

    /// A file on the Space's disk.
    fn path(&self, path: &str) -> Source {
        let (url, prefix) = (&self.space.url, self.prefix);
        Source::Link {
            url: format!("{url}{prefix}/file={}", escaped(path)),
            credential: self.space.trusted,
        }
    }
}

fn is_bare(value: &Value) -> bool {
    value.is_string() || value.get("path").is_some() || value.get("url").is_some()
}

fn escaped(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing to a string cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
