//! The time, as a parameter. Nothing in Muster reads the machine's clock but this file: tests hold the
//! clock in their hand and the demo replays an outage faster than it happened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
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
            Self::System => Timestamp::now(),
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
