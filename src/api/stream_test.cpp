#include "api/stream.h"

#include <gtest/gtest.h>

#include "api/world_for_test.h"

namespace ghm::api {
namespace {

using test::Json;
using test::request;
using test::Site;

std::shared_ptr<http::EventSource> open(Site& site, const std::string& topics, std::map<std::string, std::string> headers = {}) {
  auto r = site.ask(request("/api/v1/stream?topics=" + topics, std::move(headers)));
  EXPECT_EQ(r.status, 200) << r.bytes();
  EXPECT_EQ(r.content_type, "text/event-stream");
  return r.events;
}

// The data of the one event of this name in `text`.
Json data_of(const std::string& text, const std::string& event) {
  const auto at = text.find("event: " + event + "\ndata: ");
  if (at == text.npos) return {};
  const auto from = at + event.size() + 14;
  return Json::parse(text.substr(from, text.find("\n\n", from) - from));
}

TEST(Stream, TellsEachTopicAtOnceThenWhenTheSnapshotChanges) {
  Site site;
  const auto events = open(site, "summary,cells,gpu:1650001", {{"last-event-id", "77"}});
  const auto first = events->pull().value();
  EXPECT_TRUE(first.starts_with("retry: 3000\n\nid: 1\nevent: summary\n")) << first;
  EXPECT_EQ(data_of(first, "summary")["total_gpus"], 2);
  EXPECT_EQ(data_of(first, "cells")["colour"], "health");
  EXPECT_EQ(data_of(first, "cells")["cells"], "//8=") << "two boards without a score";
  const auto gpu = data_of(first, "gpu");
  EXPECT_EQ(gpu["serial"], "1650001");
  EXPECT_EQ(gpu["readings"].size(), 1u) << "the page's signals alone";
  site.clock.advance(2s);
  EXPECT_EQ(events->pull().value(), "");
  site.publish(2);
  EXPECT_TRUE(events->pull().value().starts_with("id: 2\nevent: summary\n"));
}

TEST(Stream, AtMostOneEventASecondAndTopic) {
  Site site;
  const auto events = open(site, "summary");
  events->pull();
  site.publish(2);
  site.clock.advance(999ms);
  EXPECT_EQ(events->pull().value(), "");
  site.publish(3);
  site.clock.advance(1ms);
  EXPECT_TRUE(events->pull().value().starts_with("id: 3\n")) << "the newest, not what was skipped";
}

TEST(Stream, ASilentLineBeatsEvery15Seconds) {
  Site site;
  const auto events = open(site, "summary");
  events->pull();
  site.clock.advance(14'999ms);
  EXPECT_EQ(events->pull().value(), "");
  site.clock.advance(1ms);
  EXPECT_EQ(events->pull().value(), ": \n\n");
  site.clock.advance(14s);
  EXPECT_EQ(events->pull().value(), "");
  site.clock.advance(1s);
  EXPECT_EQ(events->pull().value(), ": \n\n");
}

TEST(Stream, ABoardThatLeftTheLedgerIsSilent) {
  Site site;
  const auto events = open(site, "gpu:1650001");
  events->pull();
  auto without = test::small_fleet(2);
  without.boards.clear();
  without.by_name = std::make_shared<views::NameIndex>();
  without.hosts[0].boards.clear();
  site.fleet = std::make_shared<views::FleetSnapshot>(without);
  site.clock.advance(2s);
  EXPECT_EQ(events->pull().value(), "");
}

TEST(Stream, TheDefaultTopicIsTheSummary) {
  Site site;
  const auto r = site.ask(request("/api/v1/stream"));
  ASSERT_TRUE(r.events);
  EXPECT_FALSE(data_of(r.events->pull().value(), "summary").is_null());
}

}  // namespace
}  // namespace ghm::api
