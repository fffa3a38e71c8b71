//! What goes over the wire, counted: protocol version 3, message by message.
//!
//! Nothing is counted before a session's first `ReadyForQuery`: connecting is alike for all.

/// The counts of one or more sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that got as far as being ready.
    pub sessions: u64,
    /// How often the client spoke while nothing it had asked was unanswered. Whoever pipelines asks
    /// again before the answers have come, and waits less often.
    pub round_trips: u64,
    /// Messages of the client, `Terminate` not among them.
    pub messages: u64,
    /// Statements the server finished or refused.
    pub statements: u64,
    /// Bytes to the server.
    pub bytes_up: u64,
    /// Bytes to the client.
    pub bytes_down: u64,
}

impl Counts {
    /// What has been added since.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self {
            sessions: self.sessions - before.sessions,
            round_trips: self.round_trips - before.round_trips,
            messages: self.messages - before.messages,
            statements: self.statements - before.statements,
            bytes_up: self.bytes_up - before.bytes_up,
            bytes_down: self.bytes_down - before.bytes_down,
        }
    }
}

/// One session as both directions see it.
#[derive(Debug, Default)]
pub(crate) struct Session {
    is_ready: bool,
    /// `ReadyForQuery` that the client has asked for and not got.
    n_unanswered: u64,
    /// The client has said something since it was last idle.
    is_speaking: bool,
}

impl Session {
    /// A message of the client.
    pub(crate) const fn client_sent(&mut self, kind: u8, n_bytes: usize, counts: &mut Counts) {
        if !self.is_ready || kind == b'X' {
            return;
        }
        counts.messages += 1;
        counts.bytes_up += n_bytes as u64;
        if !self.is_speaking {
            counts.round_trips += 1;
            self.is_speaking = true;
        }
        // Query, Sync and FunctionCall each end in a ReadyForQuery.
        if matches!(kind, b'Q' | b'S' | b'F') {
            self.n_unanswered += 1;
        }
    }

    /// A message of the server.
    pub(crate) const fn server_sent(&mut self, kind: u8, n_bytes: usize, counts: &mut Counts) {
        if !self.is_ready {
            if kind == b'Z' {
                self.is_ready = true;
                counts.sessions += 1;
            }
            return;
        }
        counts.bytes_down += n_bytes as u64;
        match kind {
            // CommandComplete, EmptyQueryResponse, ErrorResponse.
            b'C' | b'I' | b'E' => counts.statements += 1,
            b'Z' => {
                self.n_unanswered = self.n_unanswered.saturating_sub(1);
                self.is_speaking = self.n_unanswered > 0;
            }
            _ => {}
        }
    }
}

/// Cuts a stream of bytes into messages.
#[derive(Debug)]
pub(crate) struct Messages {
    buffer: Vec<u8>,
    /// The client's first message has no kind.
    begins_without_kind: bool,
}

impl Messages {
    pub(crate) const fn of_client() -> Self {
        Self { buffer: Vec::new(), begins_without_kind: true }
    }

    pub(crate) const fn of_server() -> Self {
        Self { buffer: Vec::new(), begins_without_kind: false }
    }

    /// Takes bytes and gives the kind and length of every message that is whole now.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Vec<(u8, usize)> {
        self.buffer.extend_from_slice(bytes);
        let (mut messages, mut at) = (Vec::new(), 0);
        loop {
            let front = usize::from(!self.begins_without_kind);
            let rest = &self.buffer[at..];
            let Some(length) = rest.get(front..front + 4) else { break };
            let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
            if rest.len() < front + length {
                break;
            }
            let kind = if front == 0 { 0 } else { rest[0] };
            messages.push((kind, front + length));
            self.begins_without_kind = false;
            at += front + length;
        }
        let _taken = self.buffer.drain(..at);
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut message = vec![kind];
        message.extend(u32::try_from(body.len() + 4).expect("short").to_be_bytes());
        message.extend(body);
        message
    }

    #[test]
    fn messages_are_found_wherever_the_stream_is_cut() {
        let mut stream = vec![0, 0, 0, 9, 1, 2, 3, 4, 5];
        stream.extend(message(b'Q', b"SELECT 1\0"));
        stream.extend(message(b'X', b""));
        for cut in 0..stream.len() {
            let mut messages = Messages::of_client();
            let mut found = messages.take(&stream[..cut]);
            found.extend(messages.take(&stream[cut..]));
            assert_eq!(found, [(0, 9), (b'Q', 14), (b'X', 5)], "cut at {cut}");
        }
    }

    #[test]
    fn what_is_sent_behind_a_question_is_the_same_round_trip() {
        let (mut session, mut counts) = (Session::default(), Counts::default());
        session.client_sent(0, 9, &mut counts);
        session.server_sent(b'Z', 6, &mut counts);
        for kind in [b'Q', b'Q'] {
            session.client_sent(kind, 10, &mut counts);
        }
        for kind in [b'C', b'Z'] {
            session.server_sent(kind, 6, &mut counts);
        }
        session.client_sent(b'Q', 10, &mut counts);
        for kind in [b'E', b'Z', b'C', b'Z'] {
            session.server_sent(kind, 6, &mut counts);
        }
        assert_eq!((counts.round_trips, counts.messages, counts.statements), (1, 3, 3));
        for kind in [b'P', b'D', b'S'] {
            session.client_sent(kind, 10, &mut counts);
        }
        session.server_sent(b'Z', 6, &mut counts);
        session.client_sent(b'X', 5, &mut counts);
        assert_eq!((counts.round_trips, counts.messages, counts.sessions), (2, 6, 1));
        assert_eq!((counts.bytes_up, counts.bytes_down), (60, 42));
    }
}
