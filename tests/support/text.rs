//! Texts without what differs from run to run.

/// The same text with every moment replaced by `DATE TIME UTC`.
pub fn undated(text: &str) -> String {
    let is_date =
        |word: &str| word.len() == 10 && word.bytes().filter(|it| *it == b'-').count() == 2;
    let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
    for index in 0..words.len() {
        if is_date(&words[index]) {
            "DATE".clone_into(&mut words[index]);
            "TIME".clone_into(&mut words[index + 1]);
        }
    }
    words.join(" ")
}
