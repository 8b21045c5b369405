//! Which function of a Gradio app a model is, as it is configured.

use serde_json::{Value, json};

use super::super::{Order, polled};

/// Which of the app's functions, and by which protocol.
pub(super) enum Function {
    Named(String),
    Numbered {
        /// For `/config`, where the number is not configured.
        name: String,
        number: Option<u64>,
        trigger: Value,
    },
}

impl Function {
    /// The one of a model's configuration.
    ///
    /// # Errors
    /// What is wrong with that.
    pub fn of(order: &Order) -> Result<Self, &'static str> {
        let options = &order.model.options;
        let name = options.get("api_name").and_then(Value::as_str);
        let name = name.map(|name| name.trim_start_matches('/').to_owned());
        let named = name
            .as_deref()
            .is_none_or(|name| polled::id(&json!(name)).is_some());
        if !named {
            return Err("`api_name` is letters, digits and `_`");
        }
        match options.get("protocol").and_then(Value::as_str) {
            None | Some("call") => Ok(Self::Named(name.ok_or("set `api_name`")?)),
            Some("queue") => {
                let number = options.get("fn_index").and_then(Value::as_u64);
                if name.is_none() && number.is_none() {
                    return Err("set `fn_index` or `api_name`");
                }
                Ok(Self::Numbered {
                    name: name.unwrap_or_default(),
                    number,
                    trigger: options.get("trigger_id").cloned().unwrap_or_default(),
                })
            }
            Some(_) => Err("`protocol` is `call` or `queue`"),
        }
    }
}
