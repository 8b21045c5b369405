//! The Spaces that are known, what they expect and what shape they answer in.

use serde_json::{Value, json};

use crate::studio::FILM;

/// A function of a Space.
pub(super) struct Function {
    pub host: &'static str,
    pub name: &'static str,
    /// Its arguments, in their order.
    pub arguments: &'static [Argument],
    pub shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    Text,
    Width,
    Height,
    /// Any other number.
    Number,
    Flag,
    Ratio,
    File,
    Gallery,
}

/// What it gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The file and its seed.
    File,
    Gallery,
    /// Before and after.
    Slider,
    Video,
}

use Argument::{File, Flag, Gallery, Height, Number, Ratio, Text, Width};

const KNOWN: &[Function] = &[
    Function {
        host: "mrfakename-z-image-turbo",
        name: "generate_image",
        arguments: &[Text, Height, Width, Number, Number, Flag],
        shape: Shape::File,
    },
    Function {
        host: "mrfakename-z-image",
        name: "generate_image",
        arguments: &[Text, Text, Height, Width, Number, Number, Number, Flag],
        shape: Shape::File,
    },
    Function {
        host: "black-forest-labs-flux-1-schnell",
        name: "infer",
        arguments: &[Text, Number, Flag, Width, Height, Number],
        shape: Shape::File,
    },
    Function {
        host: "mcp-tools-qwen-image-fast",
        name: "generate_image",
        arguments: &[Text, Number, Flag, Ratio, Number, Number],
        shape: Shape::File,
    },
    Function {
        host: "aidc-ai-ovis-image-7b",
        name: "generate",
        arguments: &[Text, Height, Width, Number, Number, Number],
        shape: Shape::File,
    },
    Function {
        host: "linoyts-qwen-image-edit-2511-fast",
        name: "infer",
        arguments: &[
            Gallery, Text, Number, Flag, Number, Number, Height, Width, Flag,
        ],
        shape: Shape::Gallery,
    },
    Function {
        host: "tuan2308-upscaler",
        name: "realesrgan",
        arguments: &[File, Text, Number, Flag, Number],
        shape: Shape::Slider,
    },
    Function {
        host: "fradeck619-wan2-2-fp8da-aoti-faster",
        name: "generate_video",
        arguments: &[
            File, Text, Number, Text, Number, Number, Number, Number, Flag,
        ],
        shape: Shape::Video,
    },
];

/// Of any other Space: whatever it is called, and given.
pub(super) const ANY: Function = Function {
    host: "",
    name: "",
    arguments: &[],
    shape: Shape::File,
};

/// The function of a Space.
pub(super) fn of(host: &str) -> &'static Function {
    KNOWN
        .iter()
        .find(|known| known.host == host)
        .unwrap_or(&ANY)
}

impl Function {
    /// The size that is drawn, as `WIDTHxHEIGHT`; none where the arguments do not say it.
    ///
    /// # Errors
    /// What Gradio says of arguments that do not fit.
    pub fn size(&self, data: &[Value]) -> Result<Option<String>, String> {
        if self.arguments.is_empty() {
            return Ok(None);
        }
        if data.len() != self.arguments.len() {
            let (needed, got) = (self.arguments.len(), data.len());
            let name = self.name;
            return Err(format!(
                "An event handler ({name}) didn't receive enough input values (needed: {needed}, got: {got})."
            ));
        }
        let mut sides = [None; 2];
        for (argument, value) in self.arguments.iter().zip(data) {
            if !argument.fits(value) {
                return Err(format!("Value: {value} is not a {argument:?}"));
            }
            match argument {
                Width => sides[0] = value.as_u64(),
                Height => sides[1] = value.as_u64(),
                _ => {}
            }
        }
        Ok(match sides {
            [Some(width), Some(height)] => Some(format!("{width}x{height}")),
            _ => None,
        })
    }
}

impl Argument {
    fn fits(self, value: &Value) -> bool {
        match self {
            Text => value.is_string(),
            Width | Height => value.is_u64(),
            Number => value.is_number(),
            Flag => value.is_boolean(),
            Ratio => value.as_str().is_some_and(|text| text.contains(':')),
            File => is_file(value),
            Gallery => value
                .as_array()
                .is_some_and(|list| list.iter().all(|entry| is_file(&entry["image"]))),
        }
    }
}

/// A file that was uploaded.
fn is_file(value: &Value) -> bool {
    let uploaded = value["path"]
        .as_str()
        .is_some_and(|path| path.starts_with("/tmp/gradio/"));
    uploaded && value["meta"]["_type"] == "gradio.FileData"
}

impl Shape {
    /// The name of what is made, in `/files/{name}`.
    pub fn file(self, drawing: &str) -> String {
        match self {
            Self::Video => FILM.to_owned(),
            _ => format!("{drawing}.png"),
        }
    }

    /// The outputs, where `files` is the address of the Space's files.
    pub fn outputs(self, files: &str, name: &str) -> Value {
        let path = format!("/tmp/gradio/{name}");
        let file = json!({
            "path": path, "url": format!("{files}{path}"), "size": null, "orig_name": name, "mime_type": null,
            "is_stream": false, "meta": {"_type": "gradio.FileData"},
        });
        match self {
            Self::File => json!([file, 42]),
            Self::Gallery => json!([[{"image": file, "caption": null}], 42]),
            Self::Slider => json!([["/tmp/gradio/before.png", file["path"]]]),
            Self::Video => json!([{"video": file, "subtitles": null}, 42]),
        }
    }
}
