#!/usr/bin/python3
"""DynamoDB of jobqmock, held to Debian's boto3 and to what AWS documents."""
import json
import unittest
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import ClientError

import livelib
from mocklib import Kept, MockCase


def table(ddb, name, sort=None, **more):
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    kinds = [{"AttributeName": "pk", "AttributeType": "S"}]
    if sort:
        keys.append({"AttributeName": "sk", "KeyType": "RANGE"})
        kinds.append({"AttributeName": "sk", "AttributeType": sort})
    return ddb.create_table(TableName=name, KeySchema=keys, AttributeDefinitions=kinds,
                            **(more or {"BillingMode": "PAY_PER_REQUEST"}))["TableDescription"]


class DynamoDb(MockCase):
    def setUp(self):
        self.ddb = self.client("dynamodb")

    def refused(self, code, call, **parameters):
        with self.assertRaises(ClientError) as caught:
            call(**parameters)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        return caught.exception.response

    def resource(self):
        return boto3.resource("dynamodb", region_name="us-east-1", endpoint_url=self.mock.url,
                              aws_access_key_id=livelib.KEYS["AWS_ACCESS_KEY_ID"],
                              aws_secret_access_key=livelib.KEYS["AWS_SECRET_ACCESS_KEY"])

    def raw(self, action, body):
        status, _, text = self.http("/", "POST", json.dumps(body).encode(),
                                    Content_Type="application/x-amz-json-1.0",
                                    X_Amz_Target="DynamoDB_20120810." + action)
        return status, json.loads(text)

    def test_a_tables(self):
        t = table(self.ddb, "A-life", "N")
        self.assertEqual(t["TableStatus"], "ACTIVE")
        self.assertEqual(t["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertTrue(t["TableArn"].startswith("arn:aws:dynamodb:us-east-1:"))
        self.ddb.get_waiter("table_exists").wait(TableName="A-life", WaiterConfig={"Delay": 1, "MaxAttempts": 2})
        self.refused("ResourceInUseException", table, ddb=self.ddb, name="A-life")
        for name in ("A-life-2", "A-life-3"):
            table(self.ddb, name, BillingMode="PROVISIONED",
                  ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 6})
        page = self.ddb.list_tables(Limit=2)
        self.assertEqual(page["TableNames"], ["A-life", "A-life-2"])
        rest = self.ddb.list_tables(ExclusiveStartTableName=page["LastEvaluatedTableName"])
        self.assertEqual(rest["TableNames"][0], "A-life-3")
        self.assertEqual(self.ddb.describe_table(TableName="A-life-2")["Table"]["ProvisionedThroughput"]
                         ["WriteCapacityUnits"], 6)
        self.ddb.delete_table(TableName="A-life")
        said = self.refused("ResourceNotFoundException", self.ddb.describe_table, TableName="A-life")
        self.assertEqual(said["Error"]["Message"], "Requested resource not found: Table: A-life not found")

    def test_values_come_back(self):
        table(self.ddb, "values")
        item = {"pk": {"S": "ü\n\"x"}, "n": {"N": "-12.50"}, "b": {"B": b"\x00\xff"}, "t": {"BOOL": True},
                "z": {"NULL": True}, "l": {"L": [{"N": "1"}, {"M": {"k": {"S": ""}}}]},
                "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["1", "2.0"]}, "bs": {"BS": [b"a", b"b"]}}
        self.ddb.put_item(TableName="values", Item=item)
        found = self.ddb.get_item(TableName="values", Key={"pk": item["pk"]})["Item"]
        self.assertEqual(found, {**item, "n": {"N": "-12.5"}, "ns": {"NS": ["1", "2"]}})
        nothing = self.ddb.get_item(TableName="values", Key={"pk": {"S": "q"}})
        self.assertNotIn("Item", nothing)
        big = "1234567890123456789012345678901234567.8"
        resource = self.resource()
        resource.Table("values").put_item(Item={"pk": "big", "v": Decimal(big)})
        self.assertEqual(resource.Table("values").get_item(Key={"pk": "big"})["Item"]["v"], Decimal(big))
        for value, text in (({"N": "1e126"}, "Number overflow"), ({"N": "x"}, "cannot be converted to a numeric"),
                            ({"SS": []}, "may not be empty"), ({"SS": ["a", "a"]}, "duplicates")):
            said = self.refused("ValidationException", self.ddb.put_item, TableName="values",
                                Item={"pk": {"S": "a"}, "v": value})
            self.assertIn(text, said["Error"]["Message"])

    def test_a_claim(self):
        """The life of a job's row: one claim wins, the loser is told by whom, only the winner ends it."""
        table(self.ddb, "claims")
        key = {"pk": {"S": "job"}}
        self.ddb.put_item(TableName="claims", Item={**key, "payload": {"S": "x"}},
                          ConditionExpression="attribute_not_exists(pk)")
        take = dict(TableName="claims", Key=key, UpdateExpression="SET claim = :mine",
                    ConditionExpression="attribute_not_exists(claim) OR claim = :old",
                    ReturnConsumedCapacity="TOTAL")
        won = self.ddb.update_item(**take, ReturnValues="ALL_NEW", ExpressionAttributeValues={
            ":mine": {"S": "1/a"}, ":old": {"S": "0/"}})
        self.assertEqual(won["Attributes"]["claim"], {"S": "1/a"})
        self.assertEqual(won["ConsumedCapacity"], {"TableName": "claims", "CapacityUnits": 1.0})
        lost = self.raw("UpdateItem", {**take, "ReturnValuesOnConditionCheckFailure": "ALL_OLD", "ExpressionAttributeValues": {":mine": {"S": "1/b"}, ":old": {"S": "0/"}}})
        self.assertEqual(lost[0], 400)
        self.assertEqual(lost[1]["__type"], "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException")
        self.assertEqual(lost[1]["Item"]["claim"], {"S": "1/a"})
        self.refused("ConditionalCheckFailedException", self.ddb.update_item, TableName="claims", Key=key,
                     UpdateExpression="SET ended = :t REMOVE payload", ConditionExpression="claim = :mine",
                     ExpressionAttributeValues={":t": {"N": "1"}, ":mine": {"S": "1/b"}})
        old = self.ddb.update_item(TableName="claims", Key=key, UpdateExpression="SET ended = :t REMOVE payload",
                                   ConditionExpression="claim = :mine", ReturnValues="UPDATED_OLD",
                                   ExpressionAttributeValues={":t": {"N": "1"}, ":mine": {"S": "1/a"}})
        self.assertEqual(old["Attributes"], {"payload": {"S": "x"}})

    def test_expressions_by_boto3(self):
        t = self.resource().create_table(
            TableName="rows", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "N"}])
        with t.batch_writer() as batch:
            for i in range(60):
                batch.put_item(Item={"pk": "p%d" % (i % 3), "sk": i, "even": i % 2 == 0, "tags": {"x%d" % i, "all"}})
        found = t.query(KeyConditionExpression=Key("pk").eq("p1") & Key("sk").between(10, 40),
                        FilterExpression=Attr("even").eq(True) & Attr("tags").contains("all"))
        self.assertEqual([int(i["sk"]) for i in found["Items"]], [10, 16, 22, 28, 34, 40])
        self.assertEqual(found["ScannedCount"], 11)
        backward = t.query(KeyConditionExpression=Key("pk").eq("p2"), ScanIndexForward=False, Limit=2)
        self.assertEqual([int(i["sk"]) for i in backward["Items"]], [59, 56])
        seen, start = [], {}
        while True:
            page = t.scan(Limit=7, **start)
            seen += [int(i["sk"]) for i in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        self.assertEqual(sorted(seen), list(range(60)))
        self.assertEqual(t.scan(Select="COUNT")["Count"], 60)
        t.update_item(Key={"pk": "p0", "sk": 0}, UpdateExpression="ADD hits :one SET #l = list_append(if_not_exists(#l, :none), :new)",
                      ExpressionAttributeNames={"#l": "log"},
                      ExpressionAttributeValues={":one": 1, ":none": [], ":new": ["a"]})
        got = t.get_item(Key={"pk": "p0", "sk": 0}, ProjectionExpression="hits, #l[0]", ExpressionAttributeNames={"#l": "log"})
        self.assertEqual(got["Item"], {"hits": 1, "log": ["a"]})
        keys = [{"pk": "p0", "sk": i} for i in (0, 3, 999)]
        many = self.resource().batch_get_item(RequestItems={"rows": {"Keys": keys}})
        self.assertEqual(len(many["Responses"]["rows"]), 2)

    def test_what_is_wrong_is_said(self):
        table(self.ddb, "wrong")
        put = dict(TableName="wrong", Item={"pk": {"S": "a"}})
        for more, text in (
                ({"ConditionExpression": "a = :b"}, "Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :b"),
                ({"ConditionExpression": "size = :b", "ExpressionAttributeValues": {":b": {"N": "1"}}},
                 "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: size"),
                ({"ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeValues": {":b": {"N": "1"}}},
                 "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}"),
                ({"ExpressionAttributeValues": {":b": {"N": "1"}}}, "ExpressionAttributeValues can only be specified when using expressions")):
            said = self.refused("ValidationException", self.ddb.put_item, **put, **more)
            self.assertEqual(said["Error"]["Message"], text)
        said = self.refused("ValidationException", self.ddb.get_item, TableName="wrong", Key={"q": {"S": "a"}})
        self.assertEqual(said["Error"]["Message"], "The provided key element does not match the schema")
        self.refused("ResourceNotFoundException", self.ddb.get_item, TableName="nosuch", Key={"q": {"S": "a"}})
        self.assertEqual(self.raw("NoSuchThing", {})[1]["__type"], "com.amazon.coral.service#UnknownOperationException")

    def test_transactions(self):
        table(self.ddb, "trans")
        put = lambda key, **more: {"Put": {"TableName": "trans", "Item": {"pk": {"S": key}}, **more}}
        self.ddb.transact_write_items(TransactItems=[put("a"), put("b")])
        said = self.refused("TransactionCanceledException", self.ddb.transact_write_items, TransactItems=[
            put("c"), put("a", ConditionExpression="attribute_not_exists(pk)", ReturnValuesOnConditionCheckFailure="ALL_OLD")])
        self.assertEqual([r["Code"] for r in said["CancellationReasons"]], ["None", "ConditionalCheckFailed"])
        self.assertEqual(said["CancellationReasons"][1]["Item"], {"pk": {"S": "a"}})
        self.assertNotIn("Item", self.ddb.get_item(TableName="trans", Key={"pk": {"S": "c"}}))

    def test_time_to_live(self):
        table(self.ddb, "ttl")
        self.ddb.update_time_to_live(TableName="ttl", TimeToLiveSpecification={"Enabled": True, "AttributeName": "dies"})
        self.assertEqual(self.ddb.describe_time_to_live(TableName="ttl")["TimeToLiveDescription"],
                         {"TimeToLiveStatus": "ENABLED", "AttributeName": "dies"})
        self.ddb.put_item(TableName="ttl", Item={"pk": {"S": "a"}, "dies": {"N": "1000"}})
        self.ddb.put_item(TableName="ttl", Item={"pk": {"S": "b"}, "dies": {"N": "99999999999"}})
        self.advance("7h")
        self.assertEqual(self.ddb.scan(TableName="ttl")["Count"], 1)

    def test_secondary_indexes(self):
        self.ddb.create_table(
            TableName="indexed", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "state", "at")],
            GlobalSecondaryIndexes=[{"IndexName": "by-state", "Projection": {"ProjectionType": "KEYS_ONLY"}, "KeySchema": [
                {"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}]}])
        t = self.resource().Table("indexed")
        for i in range(20):
            t.put_item(Item={"pk": "j%02d" % i, "at": "%02d" % (19 - i), "more": "x", **({"state": "done"} if i % 2 else {})})
        page = t.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("done") & Key("at").gt("03"), Limit=3)
        self.assertEqual([i["pk"] for i in page["Items"]], ["j15", "j13", "j11"])
        self.assertEqual(set(page["Items"][0]), {"pk", "state", "at"})
        self.assertEqual(set(page["LastEvaluatedKey"]), {"pk", "state", "at"})
        rest = t.query(IndexName="by-state", KeyConditionExpression=Key("state").eq("done") & Key("at").gt("03"),
                       ExclusiveStartKey=page["LastEvaluatedKey"])
        self.assertEqual([i["pk"] for i in rest["Items"]], ["j09", "j07", "j05", "j03", "j01"])
        self.assertEqual(t.scan(IndexName="by-state", Select="COUNT")["Count"], 10)
        # One write to the table, two to the index whose key changes, none where the index is not touched.
        for update, units in (("SET #s = :v", 3), ("SET more = :v", 1), ("REMOVE #s", 2)):
            names = {"#s": "state"} if "#s" in update else {}
            values = {":v": "failed"} if ":v" in update else {}
            said = t.update_item(Key={"pk": "j01"}, UpdateExpression=update, ReturnConsumedCapacity="TOTAL",
                                 **({"ExpressionAttributeNames": names} if names else {}),
                                 **({"ExpressionAttributeValues": values} if values else {}))
            self.assertEqual(said["ConsumedCapacity"]["CapacityUnits"], units, update)

    def test_the_interface_before_expressions(self):
        table(self.ddb, "old")
        put = dict(TableName="old", Item={"pk": {"S": "a"}, "n": {"N": "1"}})
        self.ddb.put_item(**put, Expected={"pk": {"Exists": False}})
        self.refused("ConditionalCheckFailedException", self.ddb.put_item, **put, Expected={"pk": {"Exists": False}})
        self.ddb.update_item(TableName="old", Key={"pk": {"S": "a"}}, Expected={"n": {"Value": {"N": "1"}}}, AttributeUpdates={
            "n": {"Action": "ADD", "Value": {"N": "4"}}, "t": {"Value": {"SS": ["x"]}}})
        got = self.ddb.get_item(TableName="old", Key={"pk": {"S": "a"}}, AttributesToGet=["n"])["Item"]
        self.assertEqual(got, {"n": {"N": "5"}})
        found = self.ddb.query(TableName="old", KeyConditions={"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}},
                               QueryFilter={"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "5"}, {"N": "6"}]}})
        self.assertEqual(found["Count"], 1)
        self.assertEqual(self.ddb.scan(TableName="old", ScanFilter={"t": {"ComparisonOperator": "NOT_CONTAINS",
                                                                         "AttributeValueList": [{"S": "x"}]}})["Count"], 0)
        said = self.refused("ValidationException", self.ddb.scan, TableName="old", ScanFilter={}, FilterExpression="n = n")
        self.assertIn("Can not use both expression and non-expression parameters", said["Error"]["Message"])

    def test_throttles_and_the_bill(self):
        self.faults("dynamodb.model.throttle=yes")
        table(self.ddb, "slow", BillingMode="PROVISIONED",
              ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1})
        slow, before = self.ddb, self.mock.ledger()["ledger"]["write_units"]
        with self.assertRaises(ClientError) as caught:
            for i in range(400):
                slow.put_item(TableName="slow", Item={"pk": {"S": "k%d" % i}})
        self.assertEqual(caught.exception.response["Error"]["Code"], "ProvisionedThroughputExceededException")
        self.assertTrue(300 <= i <= 310, i)
        ledger = self.mock.ledger()
        self.assertEqual(ledger["ledger"]["write_units"] - before, i)
        self.assertIn("dynamodb", [item["service"] for item in ledger["bill"]["items"]])

    def test_a_killed_mock_keeps_what_it_said(self):
        kept = Kept()
        ddb = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=kept.url, aws_access_key_id="x",
                           aws_secret_access_key="y")
        table(ddb, "kept", "N")
        ddb.update_time_to_live(TableName="kept", TimeToLiveSpecification={"Enabled": True, "AttributeName": "dies"})
        key = lambda i: {"pk": {"S": "ü%d" % (i % 2)}, "sk": {"N": str(i)}}
        for i in range(10):
            ddb.put_item(TableName="kept", Item={**key(i), "v": {"L": [{"B": b"\x00"}, {"N": "1.5"}]}})
        ddb.delete_item(TableName="kept", Key=key(3))
        ddb.update_item(TableName="kept", Key=key(4), UpdateExpression="REMOVE v")
        table(ddb, "dropped")
        ddb.delete_table(TableName="dropped")
        kept.proc.kill()
        kept.proc.wait()
        kept.start()
        self.assertEqual(ddb.list_tables()["TableNames"], ["kept"])
        found = {int(i["sk"]["N"]): i for i in ddb.scan(TableName="kept")["Items"]}
        self.assertEqual(sorted(found), [0, 1, 2, 4, 5, 6, 7, 8, 9])
        self.assertEqual(found[4], key(4))
        self.assertEqual(found[5]["v"], {"L": [{"B": b"\x00"}, {"N": "1.5"}]})
        self.assertEqual(ddb.describe_time_to_live(TableName="kept")["TimeToLiveDescription"]["AttributeName"], "dies")
        kept.proc.kill()
        kept.proc.wait()


if __name__ == "__main__":
    unittest.main()
