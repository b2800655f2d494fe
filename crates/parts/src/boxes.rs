//! Boxes in a model's answer.
//!
//! Gemini models answer questions about places with `[ymin, xmin, ymax, xmax]` on a grid of 0 to
//! 1000 over the picture, usually as `[{"box_2d": […], "label": "…"}]`, often inside a Markdown
//! fence and between sentences.

use serde_json::Value;

/// Most boxes that are read from one answer.
const MOST_BOXES: usize = 10_000;

/// One box as the model gave it, unchecked.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerBox {
    /// What the model calls it, where it does.
    pub label: Option<String>,
    /// `[ymin, xmin, ymax, xmax]`, 0 to 1000.
    pub box_2d: [f64; 4],
}

/// All boxes of an answer: bare lists of four numbers and objects that hold one, in any nesting,
/// in their order. Text around the JSON does not matter; an answer without boxes gives none.
///
/// ```
/// use mediaprep_parts::answer_boxes;
///
/// let answer = "Here it is:\n```json\n[{\"box_2d\": [10, 20, 300, 400], \"label\": \"cat\"}]\n```";
/// let boxes = answer_boxes(answer);
/// assert_eq!(boxes[0].box_2d, [10.0, 20.0, 300.0, 400.0]);
/// assert_eq!(boxes[0].label.as_deref(), Some("cat"));
/// ```
pub fn answer_boxes(answer: &str) -> Vec<AnswerBox> {
    let mut boxes = Vec::new();
    for value in json_values(answer) {
        collect(&value, None, &mut boxes);
    }
    boxes
}

/// Every JSON list or object in a text. An answer that was cut off in the middle of a list gives
/// the whole entries before the cut.
fn json_values(text: &str) -> Vec<Value> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['[', '{']) {
        rest = &rest[at..];
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                let end = stream.byte_offset();
                values.push(value);
                rest = &rest[end..];
            }
            // No value starts here: look at what is inside.
            _ => rest = &rest[1..],
        }
        if values.len() >= MOST_BOXES {
            break;
        }
    }
    values
}

fn collect(value: &Value, label: Option<&str>, boxes: &mut Vec<AnswerBox>) {
    if boxes.len() >= MOST_BOXES {
        return;
    }
    match value {
        Value::Array(items) => match four_numbers(items) {
            Some(box_2d) => boxes.push(AnswerBox { label: label.map(str::to_owned), box_2d }),
            None => items.iter().for_each(|item| collect(item, label, boxes)),
        },
        Value::Object(fields) => {
            let named = ["label", "name", "text", "caption"]
                .iter()
                .find_map(|key| fields.get(*key).and_then(Value::as_str));
            let nested = fields.values().filter(|value| value.is_array() || value.is_object());
            nested.for_each(|value| collect(value, named.or(label), boxes));
        }
        _ => {}
    }
}

fn four_numbers(items: &[Value]) -> Option<[f64; 4]> {
    let [a, b, c, d] = items else { return None };
    Some([a.as_f64()?, b.as_f64()?, c.as_f64()?, d.as_f64()?])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(answer: &str) -> Vec<(Option<String>, [f64; 4])> {
        answer_boxes(answer).into_iter().map(|found| (found.label, found.box_2d)).collect()
    }

    #[test]
    fn every_usual_form_is_read() {
        let cat = Some("cat".to_owned());
        let one = [1.0, 2.0, 3.0, 4.5];
        for (answer, label) in [
            ("[1, 2, 3, 4.5]", None),
            ("[[1,2,3,4.5]]", None),
            (r#"{"box_2d":[1,2,3,4.5],"label":"cat"}"#, cat.clone()),
            (r#"Sure! ```json [{"label":"cat","box_2d":[1,2,3,4.5]}]``` Done [ok]."#, cat.clone()),
            (r#"{"objects":[{"name":"cat","bounding_box":[1,2,3,4.5]}]}"#, cat.clone()),
            (r#"{"label":"cat","boxes":[[1,2,3,4.5]]}"#, cat),
        ] {
            assert_eq!(found(answer), [(label, one)], "{answer}");
        }
    }

    #[test]
    fn a_cut_answer_gives_what_is_whole() {
        let answer = r#"```json [{"box_2d":[1,2,3,4],"label":"a"},{"box_2d":[5,6,7,8],"lab"#;
        let boxes: Vec<_> = found(answer).into_iter().map(|(_, numbers)| numbers).collect();
        assert_eq!(boxes, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]);
    }

    #[test]
    fn answers_without_boxes_give_none() {
        for answer in ["", "no cat here", "[1,2,3]", "[1,2,3,4,5]", "[\"a\",1,2,3]", "[[[[", "{}"] {
            assert_eq!(found(answer), [], "{answer}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(answer in r#"[\[\]{}",:0-9a-z `]{0,200}"#) {
            let _ = answer_boxes(&answer);
        }
    }
}
