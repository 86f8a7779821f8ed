// SPDX-License-Identifier: Apache-2.0

// A Pub/Sub service in memory: a topic and a subscription that has each line of standard
// input as a message. Says at which port it is, then stays until it is killed.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"

	"cloud.google.com/go/pubsub"
	"cloud.google.com/go/pubsub/pstest"
)

func run(project, name string) error {
	ctx := context.Background()
	server := pstest.NewServer()
	os.Setenv("PUBSUB_EMULATOR_HOST", server.Addr)
	client, err := pubsub.NewClient(ctx, project)
	if err != nil {
		return err
	}
	topic, err := client.CreateTopic(ctx, name)
	if err != nil {
		return err
	}
	if _, err := client.CreateSubscription(ctx, name, pubsub.SubscriptionConfig{Topic: topic}); err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if _, err := topic.Publish(ctx, &pubsub.Message{Data: lines.Bytes()}).Get(ctx); err != nil {
			return err
		}
	}
	fmt.Println(server.Addr)
	select {}
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "pubsub PROJECT NAME")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
