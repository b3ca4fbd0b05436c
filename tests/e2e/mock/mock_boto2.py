"""jobqmock as boto 2 sees it: Query with lists that have no numbers where they hold one entry
(AttributeName=All, Attribute.Name=...&Attribute.Value=...), signatures of version 2 and 4,
and the older versions of each API."""
import sys
import unittest
import urllib.parse

sys.dont_write_bytecode = True
import livelib
from mocklib import MockCase

try:
    import boto.ec2.blockdevicemapping
    import boto.ec2.connection
    import boto.exception
    import boto.regioninfo
    import boto.sdb.connection
    import boto.sqs.connection
    from boto.sqs.message import RawMessage
except ImportError:
    print("SKIP: boto 2 is not installed (python3-boto)")
    sys.exit(0)


class Boto2(MockCase):
    signed = True

    def connect(self, kind, **more):
        url = urllib.parse.urlsplit(self.mock.url)
        region = boto.regioninfo.RegionInfo(name="us-east-1", endpoint=url.hostname)
        return kind(livelib.KEYS["AWS_ACCESS_KEY_ID"], livelib.KEYS["AWS_SECRET_ACCESS_KEY"],
                    is_secure=False, port=url.port, region=region, **more)


class Sqs(Boto2):
    def setUp(self):
        self.sqs = self.connect(boto.sqs.connection.SQSConnection)

    def test_attributes(self):
        queue = self.sqs.create_queue(self.name(), 40)
        self.assertEqual(queue.get_timeout(), 40)
        everything = queue.get_attributes()
        self.assertEqual(everything["VisibilityTimeout"], "40")
        self.assertIn("QueueArn", everything)
        one = queue.get_attributes("DelaySeconds")
        self.assertEqual(dict(one), {"DelaySeconds": "0"})
        self.assertTrue(queue.set_timeout(50))
        self.assertEqual(queue.get_timeout(), 50)
        with self.assertRaises(boto.exception.SQSError) as caught:
            queue.get_attributes("Colour")
        self.assertEqual(caught.exception.error_code, "InvalidAttributeName")
        with self.assertRaises(boto.exception.SQSError) as caught:
            queue.set_attribute("Colour", "red")
        self.assertEqual(caught.exception.error_code, "InvalidAttributeName")

    def test_messages(self):
        queue = self.sqs.create_queue(self.name())
        queue.set_message_class(RawMessage)
        for i in range(3):
            message = RawMessage(body="body %d" % i)
            message.message_attributes = {"k%d" % i: {"data_type": "String",
                                                      "string_value": "v%d" % i}}
            queue.write(message)
        got = []
        while len(got) < 3:
            got += queue.get_messages(10, attributes="All", message_attributes=["All"],
                                      wait_time_seconds=2)
        self.assertEqual(sorted(m.get_body() for m in got), ["body 0", "body 1", "body 2"])
        for m in got:
            self.assertEqual(m.attributes["ApproximateReceiveCount"], "1")
            self.assertEqual(len(m.message_attributes), 1)
            m.change_visibility(60)
        self.assertEqual(queue.count(), 0)
        self.assertEqual(len(queue.delete_message_batch(got).results), 3)
        sent = queue.write_batch([(str(i), "b%d" % i, 0) for i in range(10)])
        self.assertEqual(len(sent.results), 10)
        self.assertEqual(queue.count(), 10)
        self.assertTrue(queue.purge())

    def test_queues(self):
        name = self.name()
        dead = self.sqs.create_queue(name + "-dead")
        queue = self.sqs.create_queue(name)
        policy = '{"deadLetterTargetArn":"%s","maxReceiveCount":"3"}' % dead.arn
        self.assertTrue(queue.set_attribute("RedrivePolicy", policy))
        self.assertEqual([q.name for q in self.sqs.get_dead_letter_source_queues(dead)], [name])
        self.assertEqual(self.sqs.get_queue(name).url, queue.url)
        self.assertEqual(sorted(q.name for q in self.sqs.get_all_queues(name)),
                         sorted([name, name + "-dead"]))
        self.assertTrue(queue.add_permission("l1", "123456789012", "SendMessage"))
        self.assertTrue(queue.remove_permission("l1"))
        self.assertTrue(queue.delete())
        self.assertIsNone(self.sqs.get_queue(name))


class SimpleDb(Boto2):
    def setUp(self):
        self.sdb = self.connect(boto.sdb.connection.SDBConnection)

    def test_rows(self):
        domain = self.sdb.create_domain(self.name("domain"))
        self.assertTrue(domain.put_attributes("a", {"x": ["1", "2"], "y": "z"}))
        self.assertTrue(domain.put_attributes("a", {"y": "w"}, expected_value=["y", "z"]))
        with self.assertRaises(boto.exception.SDBResponseError) as caught:
            domain.put_attributes("a", {"y": "v"}, expected_value=["y", "z"])
        self.assertEqual(caught.exception.error_code, "ConditionalCheckFailed")
        self.assertTrue(domain.put_attributes("b", {"y": "v"}, expected_value=["y", False]))
        self.assertEqual(dict(domain.get_attributes("a", consistent_read=True)),
                         {"x": ["1", "2"], "y": "w"})
        self.assertEqual(dict(domain.get_attributes("a", "y", consistent_read=True)),
                         {"y": "w"})
        self.assertEqual(dict(domain.get_attributes("a", ["y"], consistent_read=True)),
                         {"y": "w"})
        domain.batch_put_attributes({"c": {"n": "1"}, "d": {"n": ["2", "3"]}})
        rows = domain.select("select * from `%s` where n is not null" % domain.name,
                             consistent_read=True)
        self.assertEqual(sorted(r.name for r in rows), ["c", "d"])
        domain.batch_delete_attributes({"c": None, "d": {"n": ["3"]}})
        self.assertEqual(dict(domain.get_attributes("d", consistent_read=True)), {"n": "2"})
        self.assertEqual(domain.get_metadata().item_count, 3)
        self.assertIn(domain.name, [d.name for d in self.sdb.get_all_domains()])
        self.assertGreater(self.sdb.box_usage, 0)
        self.assertTrue(self.sdb.delete_domain(domain.name))

    def test_refused(self):
        with self.assertRaises(boto.exception.SDBResponseError) as caught:
            self.sdb.create_domain("a")
        self.assertEqual(caught.exception.error_message,
                         "Value (a) for parameter DomainName is invalid. ")


class Ec2(Boto2):
    def setUp(self):
        self.ec2 = self.connect(boto.ec2.connection.EC2Connection)
        self.ec2.auth_service_name = "ec2"  # boto takes it from AWS's names of hosts

    def test_boxes(self):
        made = self.ec2.run_instances("ami-12345678", 1, 2, instance_type="t3.micro",
                                      user_data="hello")
        ids = [i.id for i in made.instances]
        self.assertEqual(len(ids), 2)
        self.assertTrue(self.ec2.create_tags(ids, {"queue": "q1", "b": ""}))
        found = self.ec2.get_only_instances(filters={"tag:queue": "q1"})
        self.assertEqual(sorted(i.id for i in found), sorted(ids))
        self.assertEqual(found[0].tags["queue"], "q1")
        self.assertEqual([i.id for i in self.ec2.get_only_instances(ids[:1])], ids[:1])
        gone = self.ec2.terminate_instances(ids)
        self.assertEqual(sorted(i.id for i in gone), sorted(ids))

    def test_errors_are_in_ec2s_form(self):
        for call in (lambda: self.ec2.get_only_instances(["i-00000000"]),
                     lambda: self.ec2.get_all_volumes()):
            with self.assertRaises(boto.exception.EC2ResponseError) as caught:
                call()
            self.assertIn(caught.exception.error_code,
                          ("InvalidInstanceID.NotFound", "InvalidAction"))
            self.assertTrue(caught.exception.request_id)


if __name__ == "__main__":
    unittest.main()
