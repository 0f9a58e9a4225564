#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "scenario.h"

namespace ghm::scenarios {
namespace {

using namespace faults;

struct Spot {
  int host = 0, gpu = -1;  // gpu -1: the host itself
};

bool number(std::string_view text, int& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && out >= 0;
}

// "3", "0-7", "0,4"
bool numbers(std::string_view text, std::vector<int>& out) {
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = text.substr(0, comma);
    const auto dash = part.find('-');
    int from = 0, to = 0;
    if (!number(part.substr(0, dash), from)) return false;
    if (dash == part.npos) to = from;
    else if (!number(part.substr(dash + 1), to) || to < from || to - from > 1000) return false;
    for (int n = from; n <= to; ++n) out.push_back(n);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return !out.empty();
}

class Stage {
 public:
  explicit Stage(const Scenario& s) : scenario_(s), site_(s.site) {}

  std::vector<std::string> play() {
    for (const auto& line : scenario_.lines) {
      line_ = &line;
      switch (line.kind) {
        case Line::Kind::happens: happen(); break;
        case Line::Kind::expect: expect(); break;
        case Line::Kind::operator_says: listen(); break;
      }
    }
    return std::move(wrong_);
  }

 private:
  void complain(std::string what) { wrong_.push_back(fmt::format("{}:{}: {}   [{}]", scenario_.file, line_->number, what, line_->text)); }

  // h3/2, h3/0-7, h1-4/0-7, h3, r2, r2/0-7, all
  std::optional<std::vector<Spot>> spots(const std::string& word) {
    const auto slash = word.find('/');
    const auto where = word.substr(0, slash);
    std::vector<int> hosts, gpus;
    if (where == "all") numbers(fmt::format("1-{}", site_.hosts), hosts);
    else if (where.starts_with('h')) {
      if (!numbers(where.substr(1), hosts)) hosts.clear();
    } else if (std::vector<int> racks; where.starts_with('r') && numbers(where.substr(1), racks))
      for (const int r : racks)
        for (int h = 1; h <= site_.hosts; ++h)
          if ((h - 1) / site_.rack + 1 == r) hosts.push_back(h);
    if (slash == word.npos) gpus.push_back(-1);
    else if (!numbers(word.substr(slash + 1), gpus)) gpus.clear();
    std::vector<Spot> all;
    for (const int h : hosts)
      for (const int g : gpus)
        if (h >= 1 && h <= site_.hosts && g < site_.gpus) all.push_back({h, g});
    if (!all.empty() && all.size() == hosts.size() * gpus.size()) return all;
    complain(
        fmt::format("'{}' is no place here: expected h1 to h{}, h1/0 to h1/{}, h1-4/0-7, r1, or all", word, site_.hosts, site_.gpus - 1));
    return std::nullopt;
  }

  std::string host_name(int host) const { return fmt::format("h{}", host); }
  BoardId board(Spot s) const { return s.gpu < 0 ? BoardId::none : static_cast<BoardId>(s.host * 100 + s.gpu + 1); }

  Sign sign_at(Spot s, Timestamp at) {
    const int rack = (s.host - 1) / site_.rack + 1;
    Sign sign;
    sign.id = std::to_string(++events_);
    sign.at = at;
    sign.board = board(s);
    sign.gpu = s.gpu < 0 ? "" : fmt::format("h{}/{}", s.host, s.gpu);
    sign.host = host_name(s.host);
    sign.rack = fmt::format("r{}", rack);
    if (site_.feed > 0) sign.feed = fmt::format("feed{}", (rack - 1) / site_.feed + 1);
    if (site_.fabric) sign.fabric = sign.rack;
    sign.boards_on_host = site_.gpus;
    return sign;
  }

  // xid N, sxid N, or a sign's word; how many words it took, 0: none of these.
  std::size_t read_what(const std::vector<std::string>& w, Sign& sign) {
    for (const auto kind : {CodeKind::xid, CodeKind::sxid, CodeKind::dcgm_health})
      if (w[1] == to_string(kind)) {
        if (w.size() < 3 || !number(w[2], sign.code)) return complain(fmt::format("{} needs a number", w[1])), 0;
        const auto meaning = FaultCatalogue::built_in().find(kind, sign.code, {release_of(site_.driver), {}});
        if (meaning.code == nullptr || meaning.code->sign.empty())
          return complain(fmt::format("{} {} tells no sign in the catalogue", w[1], sign.code)), 0;
        sign.kind = kind;
        sign.what = evidence(meaning.code->sign);
        sign.severity = meaning.code->severity;
        return 3;
      }
    const auto id = EvidenceTable::built_in().find(w[1]);
    if (!id || EvidenceTable::built_in()[*id].family == Family::context)
      return complain(fmt::format("'{}' is neither a sign (data/faults/signs.csv) nor an ending such as gpu_reset", w[1])), 0;
    sign.what = *id;
    sign.severity = EvidenceTable::built_in()[*id].severity;
    return 2;
  }

  bool read_options(const std::vector<std::string>& w, std::size_t from, Sign& sign, std::chrono::milliseconds& spread) {
    for (std::size_t i = from; i < w.size(); ++i) {
      const auto& key = w[i];
      if (key == "new_driver") sign.new_driver = true;
      else if (key == "no_answer_at_all") sign.no_answer_at_all = true;
      else if (i + 1 >= w.size()) return complain(fmt::format("'{}' needs a value", key)), false;
      else if (key == "job") sign.job = w[++i];
      else if (key == "process") sign.process = w[++i];
      else if (key == "text") sign.text = w[++i];
      else if (key == "pid" && number(w[i + 1], sign.pid)) ++i;
      else if (key == "link" && number(w[i + 1], sign.link)) ++i;
      else if (key == "switch" && number(w[i + 1], sign.nvswitch)) ++i;
      else if (key == "spread" && parse_duration(w[i + 1])) spread = *parse_duration(w[++i]);
      else
        return complain(fmt::format("'{}' is not understood: expected job, process, pid, link, switch, text, spread (with a value), "
                                    "new_driver or no_answer_at_all",
                                    key)),
               false;
    }
    return true;
  }

  void happen() {
    const auto& w = line_->words;
    const auto where = spots(w[0]);
    if (!where) return;
    if (const auto ending = ending_named(w[1])) return end(*where, *ending);
    Sign pattern;
    std::chrono::milliseconds spread = 1s * static_cast<int>(where->size());
    const auto taken = read_what(w, pattern);
    if (taken == 0 || !read_options(w, taken, pattern, spread)) return;
    for (std::size_t n = 0; n < where->size(); ++n) {
      Sign s = pattern;
      const auto place = sign_at((*where)[n], line_->at + spread * n / where->size());
      s.id = place.id, s.at = place.at, s.board = place.board, s.gpu = place.gpu, s.host = place.host, s.rack = place.rack,
      s.feed = place.feed, s.fabric = place.fabric, s.boards_on_host = place.boards_on_host;
      book_.observe(s);
    }
  }

  void end(const std::vector<Spot>& where, Ending what) {
    EndingSeen e;
    e.what = what;
    e.at = line_->at;
    if (line_->words.size() == 4 && line_->words[2] == "of") {
      e.sign = EvidenceTable::built_in().find(line_->words[3]);
      if (!e.sign) return complain(fmt::format("'{}' is no sign", line_->words[3]));
    } else if (line_->words.size() != 2) return complain("an ending takes no more words than 'of SIGN'");
    for (const auto s : where) {
      e.board = board(s);
      e.host = host_name(s.host);
      book_.end(e);
    }
  }

  // The newest incident that touches the place; merged ones are gone.
  const Incident* at_place(Spot s) const {
    const Incident* found = nullptr;
    for (const auto* i : book_.all())
      if (i->find(board(s), host_name(s.host)) && (found == nullptr || i->last > found->last)) found = i;
    return found;
  }

  void expect() {
    const auto& w = line_->words;
    int n = 0;
    if (w.size() == 3 && number(w[1], n) && w[2] == "open") {
      if (const auto open = book_.counts().open; open != static_cast<std::size_t>(n))
        complain(fmt::format("{} are open:{}", open, listed()));
      return;
    }
    const auto where = spots(w[1]);
    if (!where) return;
    const auto* incident = at_place(where->front());
    if (w.size() == 3 && w[2] == "nothing") {
      if (incident != nullptr) complain(fmt::format("there is {}", described(*incident)));
      return;
    }
    if (incident == nullptr) return complain("there is no incident");
    if (w.size() == 5 && w[2] == "same" && w[3] == "as") {
      const auto other = spots(w[4]);
      if (other && at_place(other->front()) != incident) complain("these are two incidents");
      return;
    }
    for (std::size_t i = 2; i < w.size(); ++i) check(*incident, w, i);
  }

  void check(const Incident& incident, const std::vector<std::string>& w, std::size_t& i) {
    const auto ranking = book_.ranking(incident);
    const auto& key = w[i];
    if (key == "cannot_tell") {
      if (!ranking.cannot_tell) complain(fmt::format("it is told: {}", described(incident)));
      return;
    }
    if (i + 1 >= w.size()) return complain(fmt::format("'{}' needs a value", key));
    const auto& want = w[++i];
    const auto same = [&](std::string_view got) {
      if (got != want) complain(fmt::format("{} is {}, expected {}: {}", key, got, want, described(incident)));
    };
    if (key == "cause") same(ranking.cannot_tell ? "cannot_tell" : book_.causes().causes()[ranking.causes[0].cause].name);
    else if (key == "action") same(to_string(ranking.action));
    else if (key == "side") same(to_string(ranking.side));
    else if (key == "scope") same(to_string(incident.scope()));
    else if (key == "state") same(to_string(incident.state));
    else if (key == "severity") same(std::array{"info", "warning", "error", "critical"}[static_cast<std::size_t>(incident.severity)]);
    else if (key == "gpus")
      same(std::to_string(std::ranges::count_if(incident.parts, [](const Part& p) { return p.board != BoardId::none; })));
    else if (key == "hosts") same(std::to_string(incident.hosts().size()));
    else if (key == "reopened") same(std::to_string(incident.reopened));
    else if (key == "among") among(ranking, want);
    else
      complain(fmt::format(
          "'{}' is not understood: expected cause, among, cannot_tell, action, side, scope, state, severity, gpus, hosts or reopened",
          key));
  }

  void among(const Ranking& ranking, const std::string& want) {
    for (std::size_t n = 0; n < std::min<std::size_t>(3, ranking.causes.size()); ++n)
      if (book_.causes().causes()[ranking.causes[n].cause].name == want) return;
    complain(fmt::format("{} is not among the first three causes", want));
  }

  // operator clears h1/0, operator says h1/0 CAUSE right|wrong
  void listen() {
    const auto& w = line_->words;
    const bool clears = w.size() >= 3 && w[1] == "clears", says = w.size() == 5 && w[1] == "says";
    if (!clears && !says) return complain("expected: operator clears PLACE, or operator says PLACE CAUSE right|wrong");
    const auto where = spots(w[2]);
    if (!where) return;
    const auto* incident = at_place(where->front());
    if (incident == nullptr) return complain("there is no incident");
    if (clears) {
      if (auto done = book_.clear(incident->id, "ana", "looked at it", line_->at); !done) complain(done.error().what);
      return;
    }
    if (w[4] != "right" && w[4] != "wrong") return complain("a cause is right or wrong");
    if (auto done = book_.feedback(incident->id, w[3], w[4] == "right", "ana", "", line_->at); !done) complain(done.error().what);
  }

  std::string described(const Incident& i) const {
    const auto ranking = book_.ranking(i);
    std::string text = fmt::format("incident {} ({}, {}", i.id, i.place(), to_string(i.state));
    for (std::size_t n = 0; n < std::min<std::size_t>(3, ranking.causes.size()); ++n)
      text += fmt::format(", {} {:.2f}", book_.causes().causes()[ranking.causes[n].cause].name, ranking.causes[n].probability);
    text += fmt::format(", unknown {:.2f}; signs", ranking.unknown);
    for (const auto& [what, count] : i.counts) text += fmt::format(" {} {}x", EvidenceTable::built_in()[what].word, count);
    return text + ")";
  }

  std::string listed() const {
    std::string text;
    for (const auto* i : book_.all())
      if (i->is_open()) text += "\n    " + described(*i);
    return text;
  }

  const Scenario& scenario_;
  const Site& site_;
  const Line* line_ = nullptr;
  IncidentBook book_;
  int events_ = 0;
  std::vector<std::string> wrong_;
};

}  // namespace

std::vector<std::string> play(const Scenario& scenario) {
  return Stage(scenario).play();
}

}  // namespace ghm::scenarios
