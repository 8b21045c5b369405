use serde_json::json;

use super::*;

/// A form as it came: texts, and files where there are bytes.
fn form(fields: &[(&str, Result<&str, &'static [u8]>)]) -> Form {
    let entry = |sent: &Result<&str, &'static [u8]>| match sent {
        Ok(text) => Entry::Value((*text).into()),
        Err(file) => Entry::Picture(Given::Bytes(Bytes::from_static(file))),
    };
    let fields = fields.iter();
    let fields = fields.map(|(name, sent)| ((*name).to_owned(), entry(sent)));
    Form {
        fields: fields.collect(),
        parts: Vec::new(),
        nonce: 7,
    }
}

fn of_json(fields: Value) -> Form {
    let Value::Object(fields) = fields else {
        panic!("no object: {fields}");
    };
    Form::of(fields, 7)
}

/// Pictures by what they are.
fn told(given: &[Given]) -> Vec<String> {
    let told = given.iter().map(|given| match given {
        Given::Link(url) => url.clone(),
        Given::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Given::File(file) => format!("a file of {} bytes", file.bytes()),
    });
    told.collect()
}

#[test]
fn pictures_stay_in_their_order_whatever_they_are() {
    let mut sent = form(&[
        ("image", Ok("https://a.example/1.png")),
        ("prompt", Ok("p")),
        ("image", Err(b"two")),
        ("imageUrl", Ok("https://a.example/3.png")),
        ("image", Ok("")),
        ("image", Err(b"four")),
        ("mask", Err(b"other")),
    ]);
    let given = sent.pictures("image", &["images", "imageUrl"]).unwrap();
    let wanted = [
        "https://a.example/1.png",
        "two",
        "https://a.example/3.png",
        "four",
    ];
    assert_eq!(told(&given), wanted);
    assert_eq!(told(&sent.pictures("mask", &[]).unwrap()), ["other"]);
    assert_eq!(Value::from(sent.rest()), json!({"prompt": "p"}));
}

#[test]
fn no_name_of_a_picture_hides_another() {
    let mut sent = of_json(json!({
        "imageUrl": "https://a.example/1.png", "prompt": "p",
        "image": ["https://a.example/2.png", {"image_url": {"url": "https://a.example/3.png"}}],
        "image_url": null,
    }));
    let given = sent
        .pictures("image", &["images", "imageUrl", "image_url"])
        .unwrap();
    let wanted = [1, 2, 3].map(|number| format!("https://a.example/{number}.png"));
    assert_eq!(told(&given), wanted);
    let refused = of_json(json!({"image": 7})).pictures("image", &[]);
    assert_eq!(refused.unwrap_err().param(), Some("image"));
}

#[test]
fn a_field_is_taken_by_its_first_name_and_a_repeated_one_is_a_list() {
    let mut sent = form(&[
        ("negative_prompt", Ok("second")),
        ("negativePrompt", Ok("first")),
        ("lora", Ok("a")),
        ("lora", Ok("b")),
        ("seed", Ok(" 7 ")),
        ("steps", Ok("")),
    ]);
    let names: &[&str] = &["negative_prompt"];
    assert_eq!(
        sent.text("negativePrompt", names).unwrap().as_deref(),
        Some("first")
    );
    assert_eq!(sent.get("negative_prompt"), None, "it is taken as well");
    assert_eq!(sent.whole("seed", &[]).unwrap(), Some(7));
    assert_eq!(sent.whole("steps", &[]).unwrap(), None);
    assert_eq!(Value::from(sent.rest()), json!({"lora": ["a", "b"]}));
}

#[test]
fn null_is_nothing() {
    let mut sent = of_json(json!({"a": null, "b": 1}));
    assert_eq!(sent.get("a"), None);
    assert_eq!(sent.take(&["a", "b"]), Some(json!(1)));
    assert!(sent.rest().is_empty());
}
