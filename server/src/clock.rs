//! The time, as a parameter. Nothing in Muster reads the machine's clock but this file: tests hold the
//! clock in their hand and the demo replays an outage faster than it happened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// Where the time comes from. Clones show the same time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A time that only moves when told to.
    Simulated(Simulated),
    /// A time that runs faster than the machine's, and can change its pace.
    Scaled(Scaled),
}

impl Clock {
    pub fn simulated(start: Timestamp) -> Self {
        let (moved, _) = watch::channel(());
        Self::Simulated(Simulated {
            time: Arc::new(Mutex::new(start)),
            moved: Arc::new(moved),
        })
    }

    pub fn scaled(start: Timestamp, speed: u32) -> Self {
        let pace = Pace {
            began: Instant::now(),
            start,
            speed: speed.max(1),
        };
        let (changed, _) = watch::channel(());
        Self::Scaled(Scaled {
            pace: Arc::new(Mutex::new(pace)),
            changed: Arc::new(changed),
        })
    }

    /// How many seconds pass in one of the machine's.
    pub fn speed(&self) -> u32 {
        match self {
            Self::Scaled(scaled) => scaled.pace().speed,
            Self::System | Self::Simulated(_) => 1,
        }
    }

    /// Changes the pace from now on. Only a scaled clock has one.
    pub fn set_speed(&self, speed: u32) {
        if let Self::Scaled(scaled) = self {
            let mut pace = scaled.pace.lock().unwrap_or_else(PoisonError::into_inner);
            *pace = Pace {
                start: pace.now(),
                began: Instant::now(),
                speed: speed.max(1),
            };
            scaled.changed.send_replace(());
        }
    }

    /// Now, cut to microseconds: what is stored and what is compared are the same.
    pub fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the machine's clock is read"
        )]
        let now = match self {
            Self::System => MACHINE
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .read(Timestamp::now(), Instant::now()),
            Self::Simulated(simulated) => *simulated.time.lock().unwrap_or_else(PoisonError::into_inner),
            Self::Scaled(scaled) => scaled.pace().now(),
        };
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Waits until the next thing is due, where one is known, and no longer than `longest` of real time: another node
    /// may have owed something without this one hearing of it.
    pub async fn rest_until(&self, next: Option<Timestamp>, longest: Duration) {
        let longest = tokio::time::sleep(longest);
        match next {
            Some(at) => tokio::select! {
                () = self.sleep_until(at) => {}
                () = longest => {}
            },
            None => longest.await,
        }
    }

    /// Waits until the time has come. Returns at once when it has.
    pub async fn sleep_until(&self, at: Timestamp) {
        match self {
            Self::System => tokio::time::sleep(duration_between(self.now(), at)).await,
            Self::Scaled(scaled) => {
                let mut changed = scaled.changed.subscribe();
                loop {
                    let now = self.now();
                    if now >= at {
                        return;
                    }
                    let left = duration_between(now, at) / scaled.pace().speed;
                    tokio::select! {
                        () = tokio::time::sleep(left) => {}
                        _ = changed.changed() => {}
                    }
                }
            }
            Self::Simulated(simulated) => {
                let mut moved = simulated.moved.subscribe();
                while self.now() < at {
                    if moved.changed().await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

/// The machine's clock as this process has read it.
static MACHINE: Mutex<Steady> = Mutex::new(Steady {
    last: None,
    ahead: Duration::ZERO,
    correction: SignedDuration::ZERO,
});

/// A clock that was set back is not believed before it has caught up: a timer that is to fire in a minute fires in a minute,
/// and nothing ends before it began. A clock that was set forward is believed.
struct Steady {
    last: Option<(Timestamp, Instant)>,
    /// How far this is ahead of the machine.
    ahead: Duration,
    /// What is added to the machine's time, so that all nodes on one database have one time.
    correction: SignedDuration,
}

/// Machines agree with themselves to less than this.
const JITTER: Duration = Duration::from_secs(1);

impl Steady {
    fn read(&mut self, machine: Timestamp, tick: Instant) -> Timestamp {
        let machine = machine + self.correction;
        let passed = self
            .last
            .map(|(at, then)| at + tick.saturating_duration_since(then));
        let now = passed.map_or(machine, |passed| passed.max(machine));
        let ahead = duration_between(machine, now);
        if ahead > JITTER && self.ahead <= JITTER {
            tracing::error!(
                seconds = ahead.as_secs(),
                "the clock was set back; Muster goes on with the time it had until the clock has caught up or Muster is \
                 started again"
            );
        }
        self.ahead = ahead;
        self.last = Some((now, tick));
        now
    }

    /// `said` was read within `took` after `asked`.
    fn correct(&mut self, said: Timestamp, asked: Timestamp, took: Duration) {
        let correction = said.duration_since(asked + took / 2);
        if (correction - self.correction).unsigned_abs() > took / 2 {
            self.correction = correction;
        }
    }
}

/// Takes the time from a clock that others look at too. `ask` reads it, and is believed to have done so half-way between the
/// question and the answer; what is less off than that leaves open changes nothing. Gives how far the machine is from it.
///
/// # Errors
/// That of `ask`; the time is then reckoned as before.
pub async fn agree_with<E>(
    ask: impl Future<Output = Result<Option<Timestamp>, E>>,
) -> Result<SignedDuration, E> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    let (asked, tick) = (Timestamp::now(), Instant::now());
    let Some(said) = ask.await? else {
        return Ok(SignedDuration::ZERO);
    };
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    machine.correct(said, asked, tick.elapsed());
    Ok(machine.correction)
}

/// How far the machine's clock was set back while this process ran, if it has not caught up.
pub fn set_back() -> Option<Duration> {
    let ahead = MACHINE.lock().unwrap_or_else(PoisonError::into_inner).ahead;
    (ahead > JITTER).then_some(ahead)
}

/// A clock with a pace of its own.
#[derive(Debug, Clone)]
pub struct Scaled {
    pace: Arc<Mutex<Pace>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    began: Instant,
    start: Timestamp,
    speed: u32,
}

impl Pace {
    fn now(self) -> Timestamp {
        self.start + self.began.elapsed() * self.speed
    }
}

impl Scaled {
    fn pace(&self) -> Pace {
        *self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clock held in a test's hand.
#[derive(Debug, Clone)]
pub struct Simulated {
    time: Arc<Mutex<Timestamp>>,
    moved: Arc<watch::Sender<()>>,
}

impl Simulated {
    pub fn advance(&self, by: Duration) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) += by;
        self.moved.send_replace(());
    }

    pub fn set(&self, to: Timestamp) {
        *self.time.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.moved.send_replace(());
    }
}

fn duration_between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning() -> Steady {
        Steady {
            last: None,
            ahead: Duration::ZERO,
            correction: SignedDuration::ZERO,
        }
    }

    /// What is read, in seconds after the first reading, when the machine says this at these ticks.
    fn read(machine: &[(i64, u64)]) -> Vec<i64> {
        let mut steady = beginning();
        let (midnight, begun) = (Timestamp::UNIX_EPOCH, Instant::now());
        machine
            .iter()
            .map(|(said, tick)| {
                let said = midnight + jiff::SignedDuration::from_secs(*said);
                steady.read(said, begun + Duration::from_secs(*tick)).as_second()
            })
            .collect()
    }

    #[test]
    fn a_clock_that_is_set_back_is_believed_again_when_it_has_caught_up() {
        let said = [
            (100, 0),
            (110, 10),
            (-7_000, 20),
            (-6_990, 30),
            (145, 40),
            (146, 41),
        ];
        assert_eq!(read(&said), [100, 110, 120, 130, 145, 146]);
    }

    #[test]
    fn a_clock_that_is_set_forward_is_believed() {
        assert_eq!(read(&[(0, 0), (7_200, 1), (7_201, 2)]), [0, 7_200, 7_201]);
    }

    #[test]
    fn nodes_that_ask_the_same_clock_agree_as_far_as_the_asking_allows() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        let (begun, took) = (Instant::now(), Duration::from_millis(20));
        for machine in [600_000, 1_000_000, 2_000_000] {
            let mut node = beginning();
            node.correct(at(1_000_010), at(machine), took);
            assert_eq!(node.read(at(machine), begun), at(1_000_000));
            node.correct(at(1_000_018), at(machine), took);
            assert_eq!(
                node.read(at(machine), begun),
                at(1_000_000),
                "8 ms are within the asking"
            );
        }
    }

    #[test]
    fn how_far_it_was_set_back_is_known_until_it_has_caught_up() {
        let mut steady = beginning();
        let begun = Instant::now();
        let at = |second| Timestamp::from_second(second).unwrap();
        steady.read(at(1_000), begun);
        steady.read(at(400), begun);
        assert_eq!(steady.ahead, Duration::from_secs(600));
        steady.read(at(1_200), begun);
        assert_eq!(steady.ahead, Duration::ZERO);
    }
}
