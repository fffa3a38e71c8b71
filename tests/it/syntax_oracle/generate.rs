//! Statements out of the synopses in `tests/sql/grammar/`.
//!
//! Every alternative of every synopsis comes up before one comes up twice, so that a body of a few
//! thousand statements holds every form of every command.

use std::collections::HashMap;
use std::rc::Rc;

/// A generated statement.
pub(super) struct Generated {
    pub(super) sql: String,
    /// The first major version of PostgreSQL that knows all that is in it; 0 if all do.
    pub(super) since: u32,
}

/// Synopses, and how often each alternative was used.
pub(super) struct Grammar {
    rules: Vec<Rc<Node>>,
    starts: Vec<Rc<Node>>,
    /// For each rule the least nesting of rules that it takes.
    heights: Vec<usize>,
    uses: Vec<Vec<u32>>,
}

#[derive(Debug)]
enum Node {
    Word(String),
    Rule(usize),
    Since(u32),
    Sequence(Vec<Self>),
    /// An alternative each; the number is that of its counters.
    Choice(usize, Vec<Self>),
    /// The node several times, with commas or without.
    Repeat(usize, Box<Self>, bool),
}

/// Random numbers that are the same on every run.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

/// How deep rules may nest before the shortest way out is taken.
const DEEP: usize = 5;

impl Grammar {
    pub(super) fn parse(texts: &[&str]) -> Self {
        let mut definitions: Vec<(String, String)> = Vec::new();
        for line in texts.iter().flat_map(|text| text.lines()) {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            if line.starts_with(' ') {
                definitions.last_mut().unwrap().1.push_str(line);
            } else if let Some(body) = line.strip_prefix("! ") {
                definitions.push((String::new(), body.to_owned()));
            } else {
                let (name, body) = line.split_once(" ::= ").unwrap();
                definitions.push((name.to_owned(), body.to_owned()));
            }
        }
        let names: HashMap<String, usize> = definitions
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .enumerate()
            .map(|(index, (name, _))| (name.clone(), index))
            .collect();
        let mut grammar =
            Self { rules: Vec::new(), starts: Vec::new(), heights: Vec::new(), uses: Vec::new() };
        for (name, body) in &definitions {
            let words: Vec<&str> = body.split_whitespace().collect();
            let mut at = 0;
            let node = grammar.choice(&names, &words, &mut at, "");
            assert_eq!(at, words.len(), "{name}: {body}");
            let list = if name.is_empty() { &mut grammar.starts } else { &mut grammar.rules };
            list.push(Rc::new(node));
        }
        grammar.measure();
        grammar
    }

    /// Alternatives up to a closing word.
    fn choice(
        &mut self,
        names: &HashMap<String, usize>,
        words: &[&str],
        at: &mut usize,
        close: &str,
    ) -> Node {
        let mut alternatives = vec![Vec::new()];
        while *at < words.len() && words[*at] != close {
            let word = words[*at];
            *at += 1;
            let sequence = alternatives.last_mut().unwrap();
            match word {
                "|" => alternatives.push(Vec::new()),
                "{" => {
                    let node = self.choice(names, words, at, "}");
                    *at += 1;
                    sequence.push(node);
                }
                "[" if words[*at] == "..." => {
                    *at += 2;
                    let node = sequence.pop().unwrap();
                    sequence.push(Node::Repeat(self.counters(3), Box::new(node), false));
                }
                "[," => {
                    *at += 1;
                    let node = sequence.pop().unwrap();
                    sequence.push(Node::Repeat(self.counters(3), Box::new(node), true));
                }
                "[" => {
                    let node = self.choice(names, words, at, "]");
                    *at += 1;
                    let nothing = Node::Sequence(Vec::new());
                    sequence.push(Node::Choice(self.counters(2), vec![node, nothing]));
                }
                _ => sequence.push(word_node(names, word)),
            }
        }
        let mut alternatives: Vec<Node> = alternatives.into_iter().map(Node::Sequence).collect();
        if alternatives.len() == 1 {
            return alternatives.remove(0);
        }
        Node::Choice(self.counters(alternatives.len()), alternatives)
    }

    fn counters(&mut self, n: usize) -> usize {
        self.uses.push(vec![0; n]);
        self.uses.len() - 1
    }

    fn measure(&mut self) {
        self.heights = vec![usize::MAX; self.rules.len()];
        let mut changed = true;
        while changed {
            changed = false;
            for index in 0..self.rules.len() {
                let height = self.height(&self.rules[index]).saturating_add(1);
                if height < self.heights[index] {
                    self.heights[index] = height;
                    changed = true;
                }
            }
        }
    }

    fn height(&self, node: &Node) -> usize {
        match node {
            Node::Word(_) | Node::Since(_) => 0,
            Node::Rule(index) => self.heights[*index],
            Node::Sequence(nodes) => nodes.iter().map(|node| self.height(node)).max().unwrap_or(0),
            Node::Choice(_, nodes) => nodes.iter().map(|node| self.height(node)).min().unwrap(),
            Node::Repeat(_, node, _) => self.height(node),
        }
    }

    /// How many commands there are.
    pub(super) fn n_starts(&self) -> usize {
        self.starts.len()
    }

    /// How many alternatives there are, and how many never came up.
    pub(super) fn coverage(&self) -> (usize, usize) {
        let all = self.uses.iter().flatten();
        (all.clone().count(), all.filter(|uses| **uses == 0).count())
    }

    /// A statement of a command.
    pub(super) fn generate(&mut self, start: usize, random: &mut Random) -> Generated {
        let mut out = Generated { sql: String::new(), since: 0 };
        let node = Rc::clone(&self.starts[start]);
        self.expand(&node, 0, random, &mut out);
        out
    }

    fn expand(&mut self, node: &Node, depth: usize, random: &mut Random, out: &mut Generated) {
        match node {
            Node::Word(word) => {
                if !out.sql.is_empty() {
                    out.sql.push(' ');
                }
                out.sql.push_str(word);
            }
            Node::Since(version) => out.since = out.since.max(*version),
            Node::Rule(index) => {
                let rule = Rc::clone(&self.rules[*index]);
                self.expand(&rule, depth + 1, random, out);
            }
            Node::Sequence(nodes) => {
                for node in nodes {
                    self.expand(node, depth, random, out);
                }
            }
            Node::Choice(counters, nodes) => {
                let heights: Vec<_> = nodes.iter().map(|node| self.height(node)).collect();
                let index = self.least_used(*counters, &heights, depth, random);
                self.expand(&nodes[index], depth, random, out);
            }
            Node::Repeat(counters, node, comma) => {
                let n = self.least_used(*counters, &[0, 1, 1], depth, random);
                self.expand(node, depth, random, out);
                for _ in 0..n {
                    if *comma {
                        out.sql.push_str(" ,");
                    }
                    self.expand(node, depth, random, out);
                }
            }
        }
    }

    /// Of the alternatives that were used least, any; in the depth, only the shortest.
    fn least_used(
        &mut self,
        counters: usize,
        heights: &[usize],
        depth: usize,
        random: &mut Random,
    ) -> usize {
        let uses = &self.uses[counters];
        let lowest = *heights.iter().min().unwrap();
        let allowed = |index: &usize| depth + heights[*index] <= DEEP || heights[*index] == lowest;
        let least = (0..uses.len()).filter(allowed).map(|index| uses[index]).min().unwrap();
        let candidates: Vec<_> =
            (0..uses.len()).filter(allowed).filter(|&index| uses[index] == least).collect();
        let index = candidates[random.below(candidates.len())];
        self.uses[counters][index] += 1;
        index
    }
}

fn word_node(names: &HashMap<String, usize>, word: &str) -> Node {
    if let Some(version) = word.strip_prefix('@').and_then(|digits| digits.parse().ok()) {
        return Node::Since(version);
    }
    if let Some(rule) = names.get(word) {
        return Node::Rule(*rule);
    }
    if word == "\\n" {
        return Node::Word("\n".to_owned());
    }
    let mut word = word.strip_prefix('\\').unwrap_or(word).to_owned();
    for notation in ["[", "]", "{", "}", "|", "||"] {
        word = word.replace(&format!("'{notation}'"), notation);
    }
    Node::Word(word)
}
